import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTenant, refusalOf, startTestApi, type TestApi } from '../../support/api.ts';
import { createKey, times } from '../../support/factories.ts';
import { addSink, scriptedSink, writeEvents } from '../delivery/delivery-scene.ts';
import { dispatch, type TenantWithWebhook, tenantWithWebhook } from './event-log-scene.ts';

let api: TestApi;
let mine: TenantWithWebhook;
let theirs: TenantWithWebhook;

interface Listed {
  readonly events: readonly { readonly id: string; readonly properties: Record<string, unknown> }[];
  readonly nextCursor: string | null;
}

beforeAll(async () => {
  api = await startTestApi();
  api.clock.set(new Date());
  mine = await tenantWithWebhook(api);
  theirs = await tenantWithWebhook(api);
});
afterAll(() => api.close());

const write = (tenant: { organizationId: string }, ...events: Parameters<typeof writeEvents>[2]) =>
  writeEvents(api.db, tenant.organizationId, events, api.clock.now());

const list = async (query: string, key = mine.key): Promise<Listed> => {
  const response = await api.call(`/api/v1/events?${query}`, { key });
  expect(response.status).toBe(200);
  return (await response.json()) as Listed;
};
const idsOf = ({ events }: Listed) => events.map((event) => event.id);

describe('GET /api/v1/events', () => {
  test('tells of the own events, the newest last, by name, user, entity and time', async () => {
    const began = api.clock.now().toISOString();
    const [first = ''] = await write(mine, { name: 'first', userId: 'u-1', entity: 'e-1' });
    api.clock.advance(1_000);
    const between = api.clock.now().toISOString();
    const [second = ''] = await write(mine, { name: 'second', userId: 'u-1' });
    await write(theirs, { name: 'first', userId: 'u-1', entity: 'e-1' });
    expect(idsOf(await list(`userId=u-1&from=${began}`))).toEqual([first, second]);
    expect(idsOf(await list('name=first'))).toEqual([first]);
    expect(idsOf(await list('entityId=e-1'))).toEqual([first]);
    expect(idsOf(await list(`userId=u-1&from=${between}`))).toEqual([second]);
    expect(idsOf(await list(`userId=u-1&until=${between}`))).toEqual([first]);
    expect((await list('name=nothing')).nextCursor).toBeNull();
  });

  test('goes on where a page ended, each event once, also of one instant and while more come in', async () => {
    const at = { userId: 'pages' };
    const ids = await write(mine, ...times(5, () => at));
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Listed = await list(`userId=pages&limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`);
      seen.push(...idsOf(page));
      cursor = page.nextCursor;
      if (seen.length === 2) {
        api.clock.advance(1_000);
        ids.push(...(await write(mine, at)));
      }
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(seen.at(-1)).toBe(ids.at(-1));
  });

  test.each([
    ['a filter that is misspelt', 'user=u-1'],
    ['a time without a zone', 'from=2026-03-10T12:00:00'],
    ['a limit of 0', 'limit=0'],
    ['a limit of 1,000', 'limit=1000'],
    ['a cursor of somebody else', 'cursor=nonsense'],
    ['a name with NUL', 'name=%00'],
  ])('refuses %s', async (_what, query) => {
    const response = await api.call(`/api/v1/events?${query}`, { key: mine.key });
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('GET /api/v1/events/:id', () => {
  const show = (id: string, key = mine.key) => api.call(`/api/v1/events/${id}`, { key });

  test('shows every attempt at the own endpoints, and only the state elsewhere', async () => {
    await addSink(api.db, { id: 'posthog', kind: 'posthog' }, new Date(api.clock.now().getTime() - 60_000));
    const [id = ''] = await write(mine, { name: 'shown', userId: 'u-9', properties: { price: 7 } });
    await dispatch(api, {
      [mine.webhookId]: scriptedSink({
        say: () => ({ type: 'refused', error: 'HTTP 400', status: 400, response: 'no thanks', final: true }),
      }),
      posthog: scriptedSink({
        say: () => ({ type: 'delivered', status: 200, response: "the operator's answer" }),
      }),
    });
    const response = await show(id);
    expect(response.status).toBe(200);
    const text = await response.text();
    expect(text).not.toContain("the operator's answer");
    expect(JSON.parse(text)).toMatchObject({
      id,
      event: 'shown',
      organization_id: mine.organizationId,
      user_id: 'u-9',
      properties: { price: 7 },
      derived: {},
      is_known: false,
      consent: { ads_allowed: null, analytics_allowed: null },
      deliveries: [
        {
          webhookId: mine.webhookId,
          state: 'dead',
          attempts: 1,
          nextAt: null,
          reason: 'HTTP 400',
          log: [{ outcome: 'refused', status: 400, error: 'HTTP 400', response: 'no thanks' }],
        },
      ],
      sinks: [{ kind: 'posthog', state: 'delivered' }],
    });
    expect((await show(id.toUpperCase())).status).toBe(200);
  });

  test('takes any UUID, and properties of any name', async () => {
    const id = 'aaaaaaaa-aaaa-0aaa-0aaa-aaaaaaaaaaaa';
    await write(mine, { id, properties: JSON.parse('{"__proto__":{"a":1},"constructor":"x"}') });
    const shown = await show(id);
    expect(shown.status).toBe(200);
    expect(await shown.json()).toMatchObject({ id, derived: null, properties: { constructor: 'x' } });
    expect(idsOf(await list('name=something_happened&limit=200'))).toContain(id);
  });

  test('of another organization is not there, even where both have that id', async () => {
    const [alone = ''] = await write(theirs, { name: 'theirs' });
    expect(await refusalOf(await show(alone))).toMatchObject({ status: 404, code: 'not_found' });
    expect(await refusalOf(await show(randomUUID()))).toMatchObject({ status: 404 });
    expect(await refusalOf(await show('nonsense'))).toMatchObject({ status: 400 });
    const id = randomUUID();
    await write(theirs, { id, properties: { whose: 'theirs' } });
    await write(mine, { id, properties: { whose: 'mine' } });
    expect(await (await show(id)).json()).toMatchObject({ properties: { whose: 'mine' } });
    expect(await (await show(id, theirs.key)).json()).toMatchObject({ properties: { whose: 'theirs' } });
  });
});

describe.each([
  ['GET', '/api/v1/events'],
  ['GET', `/api/v1/events/${randomUUID()}`],
  ['GET', '/api/v1/deliveries?state=dead'],
  ['POST', '/api/v1/deliveries/retry'],
  ['POST', '/api/v1/events/replay'],
])('%s %s', (method, path) => {
  const body = method === 'POST' ? { body: {} } : {};

  test('needs a secret or an admin key', async () => {
    const { organizationId } = await createTenant(api);
    const publishable = (await createKey(api.db, organizationId, 'publishable')).key;
    expect(await refusalOf(await api.call(path, { method, ...body }))).toMatchObject({ status: 401 });
    expect(await refusalOf(await api.call(path, { method, key: publishable, ...body }))).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
    const admin = (await createKey(api.db, organizationId, 'admin')).key;
    expect([200, 400, 404]).toContain((await api.call(path, { method, key: admin, ...body })).status);
  });
});
