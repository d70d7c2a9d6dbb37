import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTenant, refusalOf, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import { createKey, hours, times } from '../../support/factories.ts';
import { deliveriesTo, projectAll, writeEvents } from './delivery-scene.ts';

type Json = Record<string, unknown>;

let api: TestApi;
let tenant: Tenant;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  tenant = await createTenant(api);
});

const base = '/api/v1/webhooks';
const url = 'https://hooks.example.com/in';

const call = (path: string, method?: string, body?: unknown, key = tenant.key) =>
  api.call(base + path, { key, ...(method ? { method } : {}), ...(body === undefined ? {} : { body }) });
const json = async (response: Promise<Response>): Promise<Json> => (await (await response).json()) as Json;
const add = (body: Json = { url }): Promise<Json> => json(call('', 'POST', body));
const shown = (id: unknown) => json(call(`/${id}`));
const secretOf = (id: unknown) => json(call(`/${id}/secret`));
const listed = async () => (await json(call(''))).webhooks as Json[];

describe('a webhook', () => {
  test('is made, answers its secret, and is shown without it', async () => {
    const response = await call('', 'POST', { url, description: 'CRM', eventNames: ['batch_*'] });
    expect(response.status).toBe(201);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { secret, ...webhook } = (await response.json()) as Json;
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(webhook).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      url,
      description: 'CRM',
      eventNames: ['batch_*'],
      ratePerSecond: null,
      enabled: true,
      status: 'enabled',
      statusReason: null,
      failingSince: null,
      warnedHours: 0,
      disablesAt: null,
      disabledAt: null,
      missedFrom: null,
      missedUntil: null,
      consecutiveFailures: 0,
      lastError: null,
      lastSuccessAt: null,
      pending: 0,
      dead: 0,
      warnings: [],
      createdAt: api.clock.now().toISOString(),
      updatedAt: api.clock.now().toISOString(),
    });
    expect(await shown(webhook.id)).toEqual(webhook);
    const { warnings: _, ...inList } = webhook;
    expect(await listed()).toEqual([inList]);
    expect(await secretOf(webhook.id)).toEqual({ secret, olderSignUntil: null });
  });

  test('has the shards that deliveries are made for', async () => {
    const { id } = await add();
    const shards = await api.db
      .selectFrom('delivery_shard')
      .select('shard')
      .where('sink_id', '=', String(id))
      .orderBy('shard')
      .execute();
    expect(shards.map(({ shard }) => shard)).toEqual(times(8, (n) => n));
  });

  test('is changed in part', async () => {
    const { id } = await add({ url, description: 'CRM', eventNames: ['batch_*'], ratePerSecond: 5 });
    const changed = await json(call(`/${id}`, 'PATCH', { url: 'https://other.example.com/' }));
    expect(changed).toMatchObject({
      url: 'https://other.example.com/',
      description: 'CRM',
      ratePerSecond: 5,
    });
    expect(await json(call(`/${id}`, 'PATCH', { eventNames: null, ratePerSecond: null }))).toMatchObject({
      url: 'https://other.example.com/',
      eventNames: null,
      ratePerSecond: null,
    });
  });

  test('that was disabled says what it missed when it is enabled, and gets it where it is asked for', async () => {
    const { id } = await add();
    // A sink must not be younger than its events, and the log has its own time.
    await api.db
      .updateTable('event_sink')
      .set({ created_at: new Date(0) })
      .where('id', '=', String(id))
      .execute();
    const disabled = await json(call(`/${id}`, 'PATCH', { enabled: false }));
    expect(disabled).toMatchObject({
      disabledAt: expect.any(String),
      missedFrom: expect.any(String),
      missedUntil: null,
    });
    await writeEvents(api.db, tenant.organizationId, [{ entity: 'x' }, { entity: 'y' }], new Date());
    await projectAll(api.db, api.clock);

    const enabled = await json(call(`/${id}/enable`, 'POST', {}));
    expect(enabled).toMatchObject({ enabled: true, disabledAt: null, waiting: 0, resumed: null });
    const { missedFrom: from, missedUntil: until } = enabled;
    expect(enabled.replay).toEqual({ webhookId: id, from, until });

    expect(await json(call(`/${id}/enable`, 'POST', { replay: true }))).toMatchObject({
      resumed: { missed: 2, revived: 0 },
      waiting: 2,
      missedFrom: null,
      replay: null,
    });
    expect((await deliveriesTo(api.db, String(id))).map(({ state }) => state)).toEqual([
      'pending',
      'pending',
    ]);
    const stranger = await createTenant(api);
    expect((await call(`/${id}/enable`, 'POST', {}, stranger.key)).status).toBe(404);
    expect((await call(`/${id}/enable`, 'POST', { replays: true })).status).toBe(400);
  });

  test('that was disabled is enabled again with a closed breaker', async () => {
    const { id } = await add();
    expect(await json(call(`/${id}`, 'PATCH', { enabled: false }))).toMatchObject({
      enabled: false,
      status: 'disabled',
      statusReason: 'Disabled by its owner.',
    });
    const broken = {
      consecutive_failures: 40,
      failing_since: api.clock.now(),
      open_until: new Date(api.clock.now().getTime() + hours(1)),
      last_error: 'The endpoint answered 500.',
    };
    await api.db.updateTable('event_sink').set(broken).where('id', '=', String(id)).execute();
    expect(await json(call(`/${id}`, 'PATCH', { enabled: true }))).toMatchObject({
      enabled: true,
      statusReason: null,
      consecutiveFailures: 0,
      failingSince: null,
      lastError: 'The endpoint answered 500.',
    });
    const row = await api.db
      .selectFrom('event_sink')
      .select('open_until')
      .where('id', '=', String(id))
      .executeTakeFirst();
    expect(row).toEqual({ open_until: null });
  });

  test('that is removed is gone, and so is what waited for it', async () => {
    const { id } = await add();
    await addPending(String(id));
    expect(await shown(id)).toMatchObject({ pending: 1, dead: 0 });
    const removed = await call(`/${id}`, 'DELETE');
    expect(removed.status).toBe(204);
    expect(await deliveriesTo(api.db, String(id))).toMatchObject([{ state: 'skipped' }]);
    expect(await listed()).toEqual([]);
    for (const [path, method] of paths) {
      expect((await call(`/${id}${path}`, method, bodyOf(method))).status, `${method} ${path}`).toBe(404);
    }
    expect(
      await api.db.selectFrom('webhook_secret').select('id').where('sink_id', '=', String(id)).execute(),
    ).toEqual([]);
  });

  test('is one of 20 at most, however many are asked for at once', async () => {
    const answers = await Promise.all(times(25, () => call('', 'POST', { url })));
    expect(answers.filter((answer) => answer.status === 201)).toHaveLength(20);
    const [refused] = answers.filter((answer) => answer.status !== 201);
    expect(refused && (await refusalOf(refused))).toMatchObject({
      status: 409,
      code: 'webhook_limit_reached',
    });
    const [one] = await listed();
    await call(`/${one?.id}`, 'DELETE');
    expect((await call('', 'POST', { url })).status).toBe(201);
  });
});

const addPending = async (sinkId: string): Promise<void> => {
  const now = api.clock.now();
  await api.db
    .insertInto('event_delivery')
    .values({
      sink_id: sinkId,
      organization_id: tenant.organizationId,
      event_id: '00000000-0000-4000-8000-000000000001',
      event_name: 'video_rendered',
      received_at: now,
      retention_class: 'business',
      lane: '1',
      shard: 0,
      next_at: now,
      failure: null,
      reason: null,
      created_at: now,
      ended_at: null,
    })
    .execute();
};

/** Everything that can be asked of one. */
const paths: readonly (readonly [string, string])[] = [
  ['', 'GET'],
  ['', 'PATCH'],
  ['', 'DELETE'],
  ['/secret', 'GET'],
  ['/rotate-secret', 'POST'],
  ['/test', 'POST'],
];
const bodyOf = (method: string): unknown => (method === 'PATCH' || method === 'POST' ? {} : undefined);

describe('a secret', () => {
  test('is rotated, twice, and the older ones sign on', async () => {
    const { id, secret } = await add();
    const second = await json(call(`/${id}/rotate-secret`, 'POST', {}));
    expect(second.secret).not.toBe(secret);
    expect(second.olderSignUntil).toBe(new Date(api.clock.now().getTime() + hours(24)).toISOString());
    const third = await json(call(`/${id}/rotate-secret`, 'POST', { overlapHours: 48 }));
    expect(await secretOf(id)).toEqual(third);
    expect(new Set([secret, second.secret, third.secret]).size).toBe(3);
    expect(await json(call(`/${id}/rotate-secret`, 'POST', { overlapHours: 0 }))).toMatchObject({
      olderSignUntil: null,
    });
  });

  test('is rotated without a body', async () => {
    const { id, secret } = await add();
    const response = await call(`/${id}/rotate-secret`, 'POST');
    expect(response.status).toBe(200);
    expect((await response.json()) as Json).not.toMatchObject({ secret });
  });

  test.each([-1, 169, '24', null])('is not rotated with an overlap of %s', async (overlapHours) => {
    const { id } = await add();
    expect((await call(`/${id}/rotate-secret`, 'POST', { overlapHours })).status).toBe(400);
  });
});

describe('what is another organization’s', () => {
  test.each(paths)('%s %s is 404', async (path, method) => {
    const { id, secret } = await add();
    const other = await createTenant(api);
    const refused = await call(`/${id}${path}`, method, bodyOf(method), other.key);
    expect(await refusalOf(refused)).toMatchObject({ status: 404, code: 'not_found' });
    expect(await json(call('', undefined, undefined, other.key))).toEqual({ webhooks: [] });
    expect(await secretOf(id)).toMatchObject({ secret });
  });

  test.each(['webhook', 'posthog', 'x', '%00', '__proto__', '00000000-0000-4000-8000-000000000000'])(
    'or no id of a webhook, such as %s, is 404',
    async (id) => {
      const answers = await Promise.all(
        paths.map(([path, method]) => call(`/${id}${path}`, method, bodyOf(method))),
      );
      expect(answers.map((answer) => answer.status)).toEqual(paths.map(() => 404));
    },
  );
});

describe('a key', () => {
  test.each(['secret', 'admin'] as const)('of kind %s may', async (kind) => {
    const { key } = await createKey(api.db, tenant.organizationId, kind);
    expect((await call('', 'POST', { url }, key)).status).toBe(201);
  });

  test('of kind publishable, or none, may not', async () => {
    const { id } = await add();
    const { key } = await createKey(api.db, tenant.organizationId, 'publishable');
    for (const [path, method] of [['', 'GET'] as const, ['', 'POST'] as const]) {
      expect((await call(path, method, method === 'POST' ? { url } : undefined, key)).status).toBe(403);
    }
    for (const [path, method] of paths) {
      expect((await call(`/${id}${path}`, method, bodyOf(method), key)).status, `${method} ${path}`).toBe(
        403,
      );
      expect((await api.call(`${base}/${id}${path}`, { method })).status).toBe(401);
    }
  });
});

describe('a URL', () => {
  test.each([
    'http://localhost:3000/',
    'http://127.0.0.1/',
    'http://[::1]/',
    'http://0x7f.1/',
    'http://2130706433/',
    'http://[::ffff:10.0.0.1]/',
    'http://169.254.169.254/latest/meta-data',
    'https://user:pass@hooks.example.com/',
    'https://hooks.example.com/#x',
    'ftp://hooks.example.com/',
    'nonsense',
  ])('such as %s is refused, at first and later, with its reason', async (hostile) => {
    const refused = await refusalOf(await call('', 'POST', { url: hostile }));
    expect(refused).toMatchObject({ status: 400, code: 'webhook_url_refused' });
    expect(refused.message).toMatch(/^Nothing may be sent to this URL: /);
    const { id } = await add();
    expect((await call(`/${id}`, 'PATCH', { url: hostile })).status).toBe(400);
    expect(await shown(id)).toMatchObject({ url });
  });
});

describe('the names of events', () => {
  test('are those of the catalog, beginnings, and the organization’s own', async () => {
    const own = {
      organization_id: tenant.organizationId,
      name: 'scene_lit',
      schema_version: 1,
      sources: ['server'],
      retention_class: 'business' as const,
      properties: '{}',
      created_at: api.clock.now(),
    };
    await api.db.insertInto('event_definition').values(own).execute();
    const eventNames = ['video_rendered', 'scene_lit', 'later_*', 'video_rendered'];
    expect(await add({ url, eventNames })).toMatchObject({
      eventNames: ['video_rendered', 'scene_lit', 'later_*'],
    });
    const other = await createTenant(api);
    expect((await call('', 'POST', { url, eventNames: ['scene_lit'] }, other.key)).status).toBe(400);
  });

  test('may have been sent without being defined, by the organization itself', async () => {
    const eventNames = ['scene_dimmed', 'scene_d*'];
    expect((await call('', 'POST', { url, eventNames })).status).toBe(400);
    await writeEvents(api.db, tenant.organizationId, [{ name: 'scene_dimmed' }], api.clock.now());
    expect(await add({ url, eventNames })).toMatchObject({ eventNames, warnings: [] });
    const other = await createTenant(api);
    expect((await call('', 'POST', { url, eventNames }, other.key)).status).toBe(400);
  });

  test('are known however many an organization has sent', async () => {
    const many = times(300, (n) => ({ name: `many_${String(n).padStart(3, '0')}` }));
    await writeEvents(api.db, tenant.organizationId, many, api.clock.now());
    // What many_3* may take is not known then.
    expect(await add({ url, eventNames: ['many_299', 'many_29*', 'many_3*'] })).toMatchObject({
      warnings: [],
    });
    expect((await call('', 'POST', { url, eventNames: ['many_300'] })).status).toBe(400);
  });

  test('are looked up in three queries at most for an endpoint, and in none for the list', async () => {
    const many = times(300, (n) => ({ name: `many_${String(n).padStart(3, '0')}` }));
    await writeEvents(api.db, tenant.organizationId, many, api.clock.now());
    const { id } = await add({ url, eventNames: [...times(49, (n) => `many_${n + 100}`), 'none_*'] });
    await api.db
      .updateTable('event_sink')
      .set({ event_names: times(100, (n) => (n % 2 ? `none_${n}` : `none_${n}_*`)) })
      .where('id', '=', String(id))
      .execute();
    const queries = vi.spyOn(pg.Client.prototype, 'query');
    const lookUps = async (path: string): Promise<number> => {
      queries.mockClear();
      expect((await call(path)).status).toBe(200);
      return queries.mock.calls.filter(([text]) => /domain_event|event_definition/.test(String(text))).length;
    };
    expect(await lookUps('')).toBe(0);
    expect(await lookUps(`/${id}`)).toBe(3);
    queries.mockRestore();
    expect((await shown(id)).warnings).toHaveLength(50);
  });

  test('that may be to come, as a beginning, are taken and warned of until they do', async () => {
    const { id, warnings } = await add({ url, eventNames: ['vidoe_*', 'batch_*', '*'] });
    expect(warnings).toEqual([
      expect.stringMatching(
        /^eventNames: "vidoe_\*" is the beginning of no event .*Did you mean .*video_rendered/,
      ),
    ]);
    expect(await shown(id)).toMatchObject({ warnings });
    expect((await listed())[0]).not.toHaveProperty('warnings');
    expect(await json(call(`/${id}`, 'PATCH', { description: 'CRM' }))).toMatchObject({ warnings });
    await writeEvents(api.db, tenant.organizationId, [{ name: 'vidoe_killed' }], api.clock.now());
    expect(await shown(id)).toMatchObject({ warnings: [] });
  });

  test('that are in the catalog no more stay where they are, and are warned of', async () => {
    const { id } = await add({ url, eventNames: ['video_rendered'] });
    await api.db
      .updateTable('event_sink')
      .set({ event_names: ['scene_gone'] })
      .where('id', '=', String(id))
      .execute();
    const eventNames = ['scene_gone', 'video_rendered'];
    expect(await json(call(`/${id}`, 'PATCH', { eventNames }))).toMatchObject({
      eventNames,
      warnings: [expect.stringContaining('"scene_gone" is no event')],
    });
    expect((await call(`/${id}`, 'PATCH', { eventNames: ['scene_never'] })).status).toBe(400);
  });

  test('that never come are refused with what may have been meant', async () => {
    const refused = await refusalOf(await call('', 'POST', { url, eventNames: ['video_render'] }));
    expect(refused).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(refused.message).toMatch(/"video_render" is no event .* Did you mean .*video_rendered/);
    expect(refused.details).toMatchObject({ name: 'video_render' });
  });

  test.each([
    [[]],
    [['*_failed']],
    [['__proto__']],
    [['a\0']],
    [[7]],
    [times(101, () => 'batch_*')],
    ['batch_*'],
  ])('are not %j', async (eventNames) =>
    expect((await call('', 'POST', { url, eventNames })).status).toBe(400),
  );
});

test('text that cannot be stored is stored without what cannot', async () => {
  expect(await add({ url, description: 'a\0b\ud800' })).toMatchObject({ description: 'a\ufffdb\ufffd' });
});

describe('a test message', () => {
  const start = async (status: number) => {
    const arrived: { headers: IncomingHttpHeaders; body: string }[] = [];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk;
      });
      request.on('end', () => {
        arrived.push({ headers: request.headers, body });
        response.writeHead(status).end('seen');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { url: `http://127.0.0.1:${port}/`, arrived, close: () => server.close() };
  };

  test('arrives signed, and tells what became of it; also at an endpoint that is disabled', async () => {
    const open = await startTestApi({
      databaseUrl: api.databaseUrl,
      environment: { WEBHOOK_ALLOW_PRIVATE_ADDRESSES: 'true' },
    });
    open.clock.set(new Date());
    const receiver = await start(200);
    const at = { key: tenant.key, method: 'POST' };
    try {
      const created = await open.call(base, { ...at, body: { url: receiver.url } });
      const { id, secret } = (await created.json()) as { id: string; secret: string };
      await call(`/${id}`, 'PATCH', { enabled: false });
      const outcome = await (await open.call(`${base}/${id}/test`, at)).json();
      expect(outcome).toEqual({
        delivered: true,
        status: 200,
        durationMs: expect.any(Number),
        response: 'seen',
        error: null,
      });
      const [one] = receiver.arrived;
      expect(
        new Webhook(secret).verify(one?.body ?? '', one?.headers as Record<string, string>),
      ).toMatchObject({
        type: 'webhook_test',
        data: { event: 'webhook_test', organization_id: tenant.organizationId, entity_id: id },
      });
      // The same endpoint, once private networks are not allowed any more.
      expect(await json(call(`/${id}/test`, 'POST'))).toMatchObject({
        delivered: false,
        status: null,
        error:
          'The host does not lie at a public address; where that is wanted, set WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true.',
      });
      expect(receiver.arrived).toHaveLength(1);
    } finally {
      receiver.close();
      await open.close();
    }
  });
});
