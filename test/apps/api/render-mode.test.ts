/** Where a render runs: as its request says, else as the installation is set; and only where that is set up. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RenderMode } from '../../../src/core/exports.ts';
import { aCampaign, cellsIn, planAll, post, renderAll } from '../../features/campaigns/support.ts';
import { formOf } from '../../features/csv-import/csv-form.ts';
import { createTenant, refusalOf, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import { countRows, createUser } from '../../support/factories.ts';

const lambda = { LAMBDA_FUNCTION: 'remotion-render', LAMBDA_BUCKET: 'remotionlambda-x' };
/** Renders locally only; can do both; does both and takes Lambda by default. */
let localOnly: TestApi;
let both: TestApi;
let lambdaFirst: TestApi;
let tenant: Tenant;
beforeAll(async () => {
  localOnly = await startTestApi();
  const { databaseUrl } = localOnly;
  both = await startTestApi({ databaseUrl, environment: lambda });
  lambdaFirst = await startTestApi({ databaseUrl, environment: { ...lambda, RENDER_MODE: 'lambda' } });
});
afterAll(async () => {
  await Promise.all([both.close(), lambdaFirst.close()]);
  await localOnly.close();
});
beforeEach(async () => {
  tenant = await createTenant(localOnly);
  await createUser(localOnly.db, tenant.organizationId);
});

const order = {
  userId: 'user-1',
  projectId: 'project-1',
  compositionId: 'hero-ad',
  kind: 'still',
  format: 'png',
};
type Asked = { renderMode?: string };

const render = (api: TestApi, asked: Asked = {}, headers: Record<string, string> = {}) =>
  api.call('/api/render', { key: tenant.key, body: { ...order, ...asked, props: { title: 'a' } }, headers });
const campaign = (api: TestApi, asked: Asked = {}) =>
  post(api, tenant, { ...aCampaign({ variants: 1, sizes: 1 }), ...asked });
const upload = (
  api: TestApi,
  asked: Asked & { dryRun?: boolean } = {},
  headers: Record<string, string> = {},
) =>
  fetch(`${api.url}/api/imports/csv`, {
    method: 'POST',
    body: formOf({ ...order, sizes: [{ name: 'a', width: 100, height: 100 }], ...asked }, 'title\nLamp\n'),
    headers: { authorization: `Bearer ${tenant.key}`, ...headers },
  });
const routes = [
  ['a render', render, '/api/render'],
  ['a campaign', campaign, '/api/campaigns'],
  ['an import', upload, '/api/campaigns'],
] as const;

const idOf = async (response: Response): Promise<string> => {
  expect(response.status).toBe(202);
  return ((await response.json()) as { id: string }).id;
};
const modeOf = async (path: string, id: string): Promise<RenderMode> => {
  const response = await localOnly.call(`${path}/${id}`, { key: tenant.key });
  return ((await response.json()) as { renderMode: RenderMode }).renderMode;
};

describe.each(routes)('%s', (_name, ask, path) => {
  test('that says nothing runs where the installation is set to', async () => {
    expect(await modeOf(path, await idOf(await ask(localOnly)))).toBe('local');
    expect(await modeOf(path, await idOf(await ask(both)))).toBe('local');
    expect(await modeOf(path, await idOf(await ask(lambdaFirst)))).toBe('lambda');
  });

  test('runs where it says', async () => {
    expect(await modeOf(path, await idOf(await ask(both, { renderMode: 'lambda' })))).toBe('lambda');
    expect(await modeOf(path, await idOf(await ask(lambdaFirst, { renderMode: 'local' })))).toBe('local');
    expect(await modeOf(path, await idOf(await ask(localOnly, { renderMode: 'local' })))).toBe('local');
  });

  test('for Lambda is refused where that is not set up, and told what to set; nothing is left', async () => {
    expect(await refusalOf(await ask(localOnly, { renderMode: 'lambda' }))).toMatchObject({
      status: 400,
      code: 'render_mode_unavailable',
      message: expect.stringContaining('LAMBDA_FUNCTION'),
      details: { renderMode: 'lambda', available: ['local'] },
    });
    expect(await countRows(localOnly.db, 'usage_day', tenant.organizationId)).toBe(0);
    expect(await countRows(localOnly.db, 'batch', tenant.organizationId)).toBe(0);
    expect(await countRows(localOnly.db, 'export', tenant.organizationId)).toBe(0);
  });

  test('for a mode that nobody knows is not valid', async () => {
    expect(await refusalOf(await ask(both, { renderMode: 'gpu' }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
      message: expect.stringMatching(/renderMode/),
    });
  });
});

describe('what was accepted keeps its mode', () => {
  test.each([
    ['a render', render],
    ['an import', upload],
  ] as const)('%s that is repeated, also where Lambda was taken away since', async (_name, ask) => {
    const headers = { 'idempotency-key': 'once' };
    const first = await ask(both, { renderMode: 'lambda' }, headers);
    const again = await ask(localOnly, { renderMode: 'lambda' }, headers);
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(await idOf(again)).toBe(await idOf(first));
  });

  test('the mode is a part of what an idempotency key stands for', async () => {
    const headers = { 'idempotency-key': 'once' };
    await render(both, { renderMode: 'lambda' }, headers);
    expect(await refusalOf(await render(both, { renderMode: 'local' }, headers))).toMatchObject({
      code: 'idempotency_conflict',
    });
  });

  test('the cells of a campaign have it, and those of its next run', async () => {
    const id = await idOf(await campaign(both, { renderMode: 'lambda' }));
    await planAll(both);
    await renderAll(both, id, () => true);
    expect(
      await idOf(await localOnly.call(`/api/campaigns/${id}/retry`, { method: 'POST', key: tenant.key })),
    ).toBe(id);
    await planAll(both);
    const cells = await cellsIn(both, id, ['queued', 'failed']);
    expect(cells.map((cell) => [cell.run, cell.render_mode])).toEqual([
      [1, 'lambda'],
      [2, 'lambda'],
    ]);
    await localOnly.call(`/api/campaigns/${id}`, { method: 'DELETE', key: tenant.key });
    expect(await modeOf('/api/campaigns', id)).toBe('lambda');
  });
});

describe('a dry run', () => {
  const plan = async (api: TestApi, asked: Asked = {}) =>
    (await post(api, tenant, { ...aCampaign(), ...asked }, { query: '?dryRun=true' })).json();

  test('of a campaign tells the mode, and how many renders of that mode the workers can run', async () => {
    const { db, clock } = localOnly;
    const worker = {
      id: crypto.randomUUID(),
      host: 'a',
      pid: 1,
      started_at: clock.now(),
      seen_at: clock.now(),
    };
    await db.deleteFrom('worker').execute();
    await db
      .insertInto('worker')
      .values({ ...worker, concurrency: 2, lambda_concurrency: 50, paused: null })
      .execute();
    expect(await plan(both)).toMatchObject({ renderMode: 'local', renderSlots: 2, wouldBeAccepted: true });
    expect(await plan(both, { renderMode: 'lambda' })).toMatchObject({
      renderMode: 'lambda',
      renderSlots: 50,
    });
    expect(await plan(lambdaFirst)).toMatchObject({ renderMode: 'lambda', renderSlots: 50 });
  });

  test('of a campaign says what the request would say', async () => {
    const refusal = await refusalOf(await campaign(localOnly, { renderMode: 'lambda' }));
    expect(await plan(localOnly, { renderMode: 'lambda' })).toMatchObject({
      wouldBeAccepted: false,
      refusals: [{ code: refusal.code, message: refusal.message, details: refusal.details }],
    });
  });

  test('of an import says what the request would say', async () => {
    const response = await upload(localOnly, { renderMode: 'lambda', dryRun: true });
    expect(await response.json()).toMatchObject({
      dryRun: true,
      allowed: false,
      refusal: { code: 'render_mode_unavailable' },
    });
  });
});

test('the documentation shows the mode in all three requests', async () => {
  const response = await localOnly.call('/openapi.json');
  const { paths } = (await response.json()) as { paths: Record<string, { post: { requestBody: unknown } }> };
  for (const path of ['/api/render', '/api/campaigns', '/api/imports/csv']) {
    expect(JSON.stringify(paths[path]?.post.requestBody)).toMatch(
      /"renderMode":\{[^}]*"enum":\["local","lambda"\]/,
    );
  }
});
