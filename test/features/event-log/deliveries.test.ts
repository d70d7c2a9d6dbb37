import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { refusalOf, startTestApi, type TestApi } from '../../support/api.ts';
import { times } from '../../support/factories.ts';
import { addSink, deliveriesTo, scriptedSink, writeEvents } from '../delivery/delivery-scene.ts';
import { addEndpoint, dispatch, type TenantWithWebhook, tenantWithWebhook } from './event-log-scene.ts';

let api: TestApi;
let mine: TenantWithWebhook;
let theirs: TenantWithWebhook;

beforeAll(async () => {
  api = await startTestApi();
  api.clock.set(new Date());
  await addSink(api.db, { id: 'operator' }, new Date(api.clock.now().getTime() - 60_000));
});
afterAll(() => api.close());
beforeEach(async () => {
  mine = await tenantWithWebhook(api);
  theirs = await tenantWithWebhook(api);
});

const refusing = () =>
  scriptedSink({ say: () => ({ type: 'refused', error: 'HTTP 400', status: 400, final: true }) });

/** Every one dead at the tenant's endpoint and at the operator's sink. */
const makeDead = async (tenant: TenantWithWebhook, count: number): Promise<string[]> => {
  const ids = await writeEvents(
    api.db,
    tenant.organizationId,
    times(count, (n) => ({ name: `event_${n}`, entity: 'x' })),
    api.clock.now(),
  );
  await dispatch(api, { [tenant.webhookId]: refusing(), operator: refusing() });
  return ids;
};
const statesAt = async (tenant: TenantWithWebhook) =>
  (await deliveriesTo(api.db, tenant.webhookId)).map((row) => row.state);

interface Page {
  readonly deliveries: readonly { readonly eventId: string; readonly webhookId: string }[];
  readonly nextCursor: string | null;
}
const list = async (query: string, key = mine.key): Promise<Page> => {
  const response = await api.call(`/api/v1/deliveries?${query}`, { key });
  expect(response.status).toBe(200);
  return (await response.json()) as Page;
};
const post = (path: string, body: unknown, key = mine.key) => api.call(path, { key, body });

describe('GET /api/v1/deliveries', () => {
  test('lists what is dead at the own endpoints, page by page, and nothing of the operator or of others', async () => {
    const ids = await makeDead(mine, 3);
    await makeDead(theirs, 1);
    const first = await list('state=dead&limit=2');
    const second = await list(`state=dead&limit=2&cursor=${first.nextCursor}`);
    expect([...first.deliveries, ...second.deliveries].map((one) => one.eventId)).toEqual(ids);
    expect(second.nextCursor).toBeNull();
    expect(new Set(first.deliveries.map((one) => one.webhookId))).toEqual(new Set([mine.webhookId]));
    expect(first.deliveries[0]).toMatchObject({
      event: 'event_0',
      state: 'dead',
      reason: 'HTTP 400',
      log: [{ outcome: 'refused', status: 400 }],
    });
    expect((await list('state=pending')).deliveries).toEqual([]);
  });

  test('lists what waits, of one endpoint', async () => {
    const other = await addEndpoint(api, mine.organizationId);
    const [id] = await writeEvents(api.db, mine.organizationId, [{}], api.clock.now());
    await dispatch(api, {});
    expect((await list('state=pending')).deliveries).toHaveLength(2);
    const { deliveries } = await list(`state=pending&webhookId=${other.id}`);
    expect(deliveries).toEqual([
      expect.objectContaining({ webhookId: other.id, eventId: id, nextAt: expect.any(String), log: [] }),
    ]);
  });

  test('of an endpoint of another organization, or of the operator, is not there', async () => {
    const path = `/api/v1/deliveries?state=dead&webhookId=${theirs.webhookId}`;
    expect(await refusalOf(await api.call(path, { key: mine.key }))).toMatchObject({ status: 404 });
    const operators = await api.call('/api/v1/deliveries?state=dead&webhookId=operator', { key: mine.key });
    expect(await refusalOf(operators)).toMatchObject({ status: 400 });
  });

  test.each(['state=delivered', 'webhookId=x&state=dead', 'state=dead&cursor=nonsense', 'limit=10'])(
    'refuses %s',
    async (query) => {
      const response = await api.call(`/api/v1/deliveries?${query}`, { key: mine.key });
      expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );
});

describe('POST /api/v1/deliveries/retry', () => {
  const retry = (body: unknown, key = mine.key) => post('/api/v1/deliveries/retry', body, key);

  test('tries what is dead at an endpoint again; once more does no harm', async () => {
    await makeDead(mine, 2);
    expect(await (await retry({ webhookId: mine.webhookId })).json()).toEqual({ retried: 2, more: false });
    expect(await statesAt(mine)).toEqual(['pending', 'pending']);
    expect(await (await retry({ webhookId: mine.webhookId })).json()).toEqual({ retried: 0, more: false });
  });

  test('of an event leaves the others, and what the operator was to get', async () => {
    const [, id] = await makeDead(mine, 2);
    expect(await (await retry({ eventId: id })).json()).toMatchObject({ retried: 1 });
    expect(await statesAt(mine)).toEqual(['dead', 'pending']);
    const atOperator = await deliveriesTo(api.db, 'operator');
    expect(atOperator.find((row) => row.event_id === id)?.state).toBe('dead');
  });

  test('does not reach what is not the own: endpoint, event, or an endpoint that was removed', async () => {
    const [id] = await makeDead(theirs, 1);
    expect(await refusalOf(await retry({ webhookId: theirs.webhookId }))).toMatchObject({ status: 404 });
    expect(await refusalOf(await retry({ eventId: id }))).toMatchObject({ status: 404 });
    expect(await refusalOf(await retry({ eventId: randomUUID() }))).toMatchObject({ status: 404 });
    expect(await statesAt(theirs)).toEqual(['dead']);
    await makeDead(mine, 1);
    await api.call(`/api/v1/webhooks/${mine.webhookId}`, { method: 'DELETE', key: mine.key });
    expect(await refusalOf(await retry({ webhookId: mine.webhookId }))).toMatchObject({ status: 404 });
    expect(await statesAt(mine)).toEqual(['dead']);
  });

  test.each([{}, { webhookId: 'operator' }, { webhook: 'x' }])('refuses %j', async (body) => {
    expect(await refusalOf(await retry(body))).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('POST /api/v1/events/replay', () => {
  const around = (days = 1) => ({
    from: new Date(api.clock.now().getTime() - days * 86_400_000).toISOString(),
    until: new Date(api.clock.now().getTime() + 60_000).toISOString(),
  });
  const replay = (body: unknown, key = mine.key) => post('/api/v1/events/replay', body, key);

  test('sends what was received in that time to the endpoint again, in order, and to no other', async () => {
    const ids = await makeDead(mine, 3);
    await makeDead(theirs, 1);
    const answer = await replay({ webhookId: mine.webhookId, ...around() });
    expect(await answer.json()).toEqual({ events: 3, made: 3 });
    const again = await replay({ webhookId: mine.webhookId, ...around() });
    expect(await again.json()).toEqual({ events: 3, made: 0 });
    const receiver = scriptedSink();
    const operator = scriptedSink();
    await dispatch(api, { [mine.webhookId]: receiver, operator });
    expect(receiver.calls.flat().map((event) => event.id)).toEqual(ids);
    expect(operator.calls).toEqual([]);
    expect(await statesAt(theirs)).toEqual(['dead']);
  });

  test('to an endpoint of another organization or of the operator is refused', async () => {
    await makeDead(theirs, 1);
    const theirHook = { webhookId: theirs.webhookId, ...around() };
    expect(await refusalOf(await replay(theirHook))).toMatchObject({ status: 404, code: 'not_found' });
    expect(await refusalOf(await replay({ webhookId: 'operator', ...around() }))).toMatchObject({
      status: 400,
    });
    expect(await statesAt(theirs)).toEqual(['dead']);
  });

  test('of an endpoint that is disabled says to enable it', async () => {
    await sql`UPDATE event_sink SET status = 'disabled' WHERE id = ${mine.webhookId}`.execute(api.db);
    expect(await refusalOf(await replay({ webhookId: mine.webhookId, ...around() }))).toMatchObject({
      status: 400,
      message: expect.stringContaining('enable it first'),
    });
  });

  test('is bounded: in its time, and in how many events it sends', async () => {
    expect(await refusalOf(await replay({ webhookId: mine.webhookId, ...around(32) }))).toMatchObject({
      status: 400,
      code: 'replay_too_large',
      message: expect.stringContaining('31 days'),
    });
    await sql`
      INSERT INTO domain_event (id, event_name, occurred_at, received_at, organization_id, source, environment, schema_version,
        properties, retention_class, derived)
      SELECT gen_random_uuid(), 'many', now(), now(), ${mine.organizationId}, 'server', 'test', 1, '{}', 'business', '{}'
      FROM generate_series(1, 100001)`.execute(api.db);
    expect(await refusalOf(await replay({ webhookId: mine.webhookId, ...around() }))).toMatchObject({
      status: 400,
      code: 'replay_too_large',
      details: { events: 100_001, mostAtOnce: 100_000 },
    });
  });

  test.each([
    ['an empty time', { from: '2026-03-10T12:00:00Z', until: '2026-03-10T12:00:00Z' }],
    ['a time without its beginning', { until: '2026-03-10T12:00:00Z' }],
    ['a day', { from: '2026-03-10', until: '2026-03-11' }],
  ])('refuses %s', async (_what, range) => {
    const response = await replay({ webhookId: mine.webhookId, ...range });
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});
