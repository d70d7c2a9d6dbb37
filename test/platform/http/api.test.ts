import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { refusalOf, startTestApi, type TestApi } from '../../support/api.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

interface Operation {
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: unknown;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly schema: object;
  }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<
    string,
    { readonly description: string; readonly content?: Record<string, { readonly schema: object }> }
  >;
}
interface OpenApi {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, object> };
}

const base = 'https://rendermill.test/openapi.json';
const readOpenApi = async () => (await (await api.call('/openapi.json')).json()) as OpenApi;

const routes = [
  'post /api/render',
  'get /api/render/{id}',
  'delete /api/render/{id}',
  'get /api/render/{id}/events',
  'post /api/render/download-link',
  'get /api/render/download',
  'head /api/render/download',
  'post /api/campaigns',
  'get /api/campaigns',
  'get /api/campaigns/{id}',
  'delete /api/campaigns/{id}',
  'post /api/campaigns/{id}/retry',
  'get /api/campaigns/{id}/events',
  'post /api/imports/csv',
  'get /api/export/zip',
  'head /api/export/zip',
  'post /api/export/zip-link',
  'get /api/stats/user',
  'get /api/stats/project/{id}',
  'get /api/stats/system',
  'get /api/exports',
  'get /api/compositions',
  'put /api/users/{id}',
  'get /api/users/{id}',
  'post /api/users/{id}/credits',
  'put /api/projects/{id}',
  'get /api/projects/{id}',
  'post /api/v1/events',
  'get /api/v1/events',
  'get /api/v1/events/{id}',
  'post /api/v1/events/replay',
  'post /api/v1/track',
  'get /api/v1/catalog',
  'get /api/v1/catalog/events/{name}',
  'put /api/v1/catalog/events/{name}',
  'delete /api/v1/catalog/events/{name}',
  'get /api/v1/settings/events',
  'put /api/v1/settings/events',
  'post /api/v1/identify',
  'post /api/v1/identity-tokens',
  'get /api/v1/identity-key',
  'put /api/v1/consent',
  'get /api/v1/users/{id}/consent',
  'get /api/v1/users/{id}/events',
  'delete /api/v1/users/{id}/personal-data',
  'get /api/v1/erasures',
  'get /api/v1/erasures/{id}',
  'post /api/v1/erasures/{id}/retry',
  'get /api/v1/webhooks',
  'post /api/v1/webhooks',
  'get /api/v1/webhooks/{id}',
  'patch /api/v1/webhooks/{id}',
  'delete /api/v1/webhooks/{id}',
  'post /api/v1/webhooks/{id}/enable',
  'get /api/v1/webhooks/{id}/secret',
  'post /api/v1/webhooks/{id}/rotate-secret',
  'post /api/v1/webhooks/{id}/test',
  'get /api/v1/deliveries',
  'post /api/v1/deliveries/retry',
  'post /api/lambda/webhook',
  'get /healthz',
  'get /readyz',
];

describe('/openapi.json', () => {
  test('has every route, and no other', async () => {
    const { openapi, info, paths } = await readOpenApi();
    expect(openapi).toBe('3.1.0');
    expect(info).toMatchObject({ title: 'Rendermill', version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    const described = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    expect(described.toSorted()).toEqual(routes.toSorted());
  });

  test('describes each with a summary, its path parameters, its answers, and a key where one is asked for', async () => {
    const { paths } = await readOpenApi();
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        const name = `${method} ${path}`;
        expect(operation.summary, name).toMatch(/^[A-Z]/);
        expect(operation.tags, name).toHaveLength(1);
        expect(Object.keys(operation.responses).length, name).toBeGreaterThan(0);
        for (const answer of Object.values(operation.responses))
          expect(answer.description, name).toEqual(expect.any(String));
        const inPath = (operation.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name);
        expect(inPath, name).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter));
        const isForKeys = path.startsWith('/api/') && path !== '/api/lambda/webhook';
        expect(operation.security, name).toEqual(isForKeys ? [{ apiKey: [] }] : undefined);
      }
    }
  });

  test('has schemas that a validator takes, and every reference leads somewhere', async () => {
    const document = await readOpenApi();
    const ajv = new Ajv2020({ strict: false });
    addFormatsModule.default(ajv);
    ajv.addSchema({ $id: base, ...document });
    const schemas: object[] = [];
    const collect = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      if ('schema' in value && typeof value.schema === 'object' && value.schema !== null)
        schemas.push(value.schema);
      Object.values(value).forEach(collect);
    };
    collect(document.paths);
    expect(schemas.length).toBeGreaterThan(40);
    const local = (schema: object): object =>
      JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', `"$ref":"${base}#/`));
    for (const schema of [...schemas, ...Object.values(document.components.schemas)]) {
      expect(() => ajv.compile(local(schema)), JSON.stringify(schema)).not.toThrow();
    }
    expect(Object.keys(document.components.schemas)).toEqual(
      expect.arrayContaining(['Acceptance', 'Export', 'Error', 'User', 'Project']),
    );
  });

  test('describes the errors as they come', async () => {
    const { components } = await readOpenApi();
    const ajv = new Ajv2020({ strict: false });
    const validate = ajv.compile(components.schemas.Error ?? false);
    expect(validate(await (await api.call('/api/exports')).json())).toBe(true);
    expect(validate({ message: 'no' })).toBe(false);
  });
});

describe('the server', () => {
  test('has a page of documentation', async () => {
    const response = await api.call('/docs/');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await response.text()).toContain('swagger-ui');
    const script = await api.call('/docs/static/swagger-ui-bundle.js');
    expect(script.headers.get('content-type')).toMatch(/javascript/);
  });

  test('says that it lives and that it is ready', async () => {
    expect(await (await api.call('/healthz')).json()).toEqual({ ok: true });
    const ready = await api.call('/readyz');
    expect(ready.status).toBe(200);
    const ok = { ok: true };
    expect(await ready.json()).toEqual({
      ready: true,
      checks: { database: ok, migrations: ok, queue: ok, storage: ok, process: ok },
    });
  });

  test('counts its requests by route, never by id, and shows what waits', async () => {
    await api.call('/api/render/0193f2ab-1111-7222-8333-444455556666');
    await api.call('/nowhere/42');
    const response = await api.call('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const page = await response.text();
    expect(page).toContain(
      'rendermill_http_request_seconds_count{method="GET",route="/api/render/:id",status="401"} 1',
    );
    expect(page).toContain('route="none",status="404"');
    expect(page).not.toContain('0193f2ab');
    for (const place of ['waiting', 'planned', 'started'])
      expect(page).toContain(`rendermill_exports_unfinished{place="${place}"} 0`);
    for (const state of ['waiting', 'active', 'delayed', 'failed'])
      for (const queue of ['render-queue', 'campaign-queue'])
        expect(page).toContain(`rendermill_queue_jobs{queue="${queue}",state="${state}"} 0`);
    expect(page).toContain('rendermill_render_slots 0');
    expect(page).toContain('process_cpu_seconds_total');
  });

  test.each([
    ['GET', '/nothing'],
    ['GET', '/nowhere?key=secret'],
    ['PATCH', '/api/render'],
    ['POST', '/api/exports'],
    ['GET', '/api/render/a/b/c'],
  ])(
    'answers %s %s with 404 in the shape of every error, without what stood behind the question mark',
    async (method, path) => {
      const refusal = await refusalOf(await api.call(path, { method }));
      expect(refusal).toMatchObject({ status: 404, code: 'not_found' });
      expect(refusal.message).toBe(`There is no route ${method} ${path.split('?')[0]}.`);
    },
  );

  test.each(['/%ZZ', '/api/render/%E0%A4%A', `/api/users/${'u'.repeat(5000)}`])(
    'answers %s with 400 in the same shape',
    async (path) => {
      expect(await refusalOf(await api.call(path))).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );

  test('protects its answers from a browser that guesses', async () => {
    const { headers } = await api.call('/healthz');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
    expect(headers.has('x-powered-by')).toBe(false);
  });

  test('does not answer what is no HTTP with more than a refusal', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    socket.end('HELLO?\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1\.1 400 Bad Request/);
    expect((await api.call('/healthz')).status).toBe(200);
  });

  test('gives every request an id of its own', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () => (await api.call('/healthz')).headers.get('x-request-id')),
    );
    expect(new Set(ids).size).toBe(10);
  });
});
