import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTenant, refusalOf, startTestApi, storeExport, type TestApi } from '../../support/api.ts';
import { createKey, createOrganization, createUser, times } from '../../support/factories.ts';
import { createTestDatabase, type TestDatabase } from '../../support/postgres.ts';
import { startTestRedis, type TestRedis } from '../../support/redis.ts';

let database: TestDatabase;
const opened: TestApi[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(() => {
  // A minute must not end in the middle of a test, and one of them makes it end.
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((api) => api.close()));
});

const start = async (environment: Record<string, string>): Promise<TestApi> => {
  const api = await startTestApi({ databaseUrl: database.url, environment });
  opened.push(api);
  return api;
};
const nextMinute = () => vi.setSystemTime(Date.now() + 60_000);
const keyOf = async (api: TestApi, kind?: 'publishable' | 'admin') =>
  (await createKey(api.db, await createOrganization(api.db), kind)).key;
const list = (api: TestApi, key?: string, headers: Record<string, string> = {}) =>
  api.call('/api/compositions', { ...(key === undefined ? {} : { key }), headers });
const track = (api: TestApi, key: string, address?: string) =>
  api.call('/api/v1/track', {
    key,
    body: { distinct_id: 'anon-1', events: [{ event: 'landing_view' }] },
    headers: address === undefined ? {} : { 'x-forwarded-for': address },
  });
const statusOf = async (response: Promise<Response>) => (await response).status;
const wrong = `rm_sk_${'x'.repeat(43)}`;

describe('a key', () => {
  test('that has used up its minute gets 429 and is told when to come again; others go on, and so does it then', async () => {
    const api = await start({ RATE_LIMIT_SECRET_PER_MINUTE: '2' });
    const [key, other] = [await keyOf(api), await keyOf(api)];
    const first = await list(api, key);
    expect(first.status).toBe(200);
    const told = (response: Response) =>
      ['limit', 'remaining', 'reset'].map((name) => response.headers.get(`ratelimit-${name}`));
    expect(told(first)).toEqual(['2', '1', '60']);
    expect(await statusOf(list(api, key))).toBe(200);
    const refused = await list(api, key);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect(told(refused)).toEqual(['2', '0', '60']);
    expect(await refusalOf(refused)).toMatchObject({
      status: 429,
      code: 'rate_limited',
      message: 'This API key has sent more than 2 requests within a minute. Try again in 60 seconds.',
      details: { limit: 2, windowSeconds: 60, retryAfterSeconds: 60 },
    });
    expect(await statusOf(list(api, other))).toBe(200);
    expect(await (await api.call('/metrics')).text()).toContain('rendermill_rate_limited_total{by="key"} 1');
    nextMinute();
    expect(await statusOf(list(api, key))).toBe(200);
  });

  test('of the wrong kind is counted, too, and the limit is none where it is 0', async () => {
    const api = await start({ RATE_LIMIT_SECRET_PER_MINUTE: '1', RATE_LIMIT_PUBLISHABLE_PER_MINUTE: '0' });
    const admin = await keyOf(api, 'admin');
    expect([await statusOf(list(api, admin)), await statusOf(list(api, admin))]).toEqual([403, 429]);
    const free = await start({ RATE_LIMIT_SECRET_PER_MINUTE: '0' });
    const response = await list(free, admin);
    expect([response.status, response.headers.has('ratelimit-limit')]).toEqual([403, false]);
  });

  test('does not slow down probes, metrics, or signed links', async () => {
    const api = await start({ RATE_LIMIT_SECRET_PER_MINUTE: '1', RATE_LIMIT_ADDRESS_PER_MINUTE: '1' });
    const tenant = await createTenant(api);
    const { fileId } = await storeExport(api, await createUser(api.db, tenant.organizationId));
    const asked = await api.call('/api/render/download-link', { key: tenant.key, body: { fileId } });
    const { url } = (await asked.json()) as { url: string };
    expect(await statusOf(list(api, tenant.key))).toBe(429);
    expect([await statusOf(list(api)), await statusOf(list(api))]).toEqual([401, 429]);
    for (const path of ['/healthz', '/readyz', '/metrics', '/openapi.json'])
      expect(await statusOf(api.call(path))).toBe(200);
    for (const _again of times(3, () => 0)) expect(await statusOf(fetch(url))).toBe(200);
  });

  test('that watches a render is counted once, however long it watches', async () => {
    const api = await start({ RATE_LIMIT_SECRET_PER_MINUTE: '3' });
    const tenant = await createTenant(api);
    const { row } = await storeExport(api, await createUser(api.db, tenant.organizationId));
    const stream = await api.call(`/api/render/${row.id}/events`, { key: tenant.key });
    expect(await stream.text()).toContain('event: status');
    expect((await list(api, tenant.key)).headers.get('ratelimit-remaining')).toBe('1');
  });
});

describe('a publishable key', () => {
  test('has a limit for each address that uses it, and one for all of them together', async () => {
    const api = await start({
      RATE_LIMIT_PUBLISHABLE_PER_MINUTE: '5',
      RATE_LIMIT_ADDRESS_PER_MINUTE: '2',
      TRUST_PROXY: 'true',
    });
    const key = await keyOf(api, 'publishable');
    const loud = await Promise.all(times(4, () => statusOf(track(api, key, '203.0.113.1'))));
    expect(loud.toSorted()).toEqual([200, 200, 429, 429]);
    // What its own limit has refused is not counted against the others.
    expect(await statusOf(track(api, key, '203.0.113.2'))).toBe(200);
    // One network of IPv6 is one address.
    expect(await statusOf(track(api, key, '2001:db8:1:2::1'))).toBe(200);
    expect(await statusOf(track(api, key, '2001:db8:1:2::2'))).toBe(200);
    expect(await refusalOf(await track(api, key, '203.0.113.3'))).toMatchObject({
      code: 'rate_limited',
      message: expect.stringContaining('This API key'),
    });
  });
});

describe('an address without a valid key', () => {
  test('may try so many, whatever it says of itself; its minute over, it may again', async () => {
    const api = await start({ RATE_LIMIT_ADDRESS_PER_MINUTE: '3' });
    const attempts = [wrong, undefined, 'nonsense', wrong, wrong];
    const statuses = [];
    for (const [index, key] of attempts.entries())
      statuses.push(await statusOf(list(api, key, { 'x-forwarded-for': `203.0.113.${index}` })));
    expect(statuses).toEqual([401, 401, 401, 429, 429]);
    const refused = await list(api, wrong);
    expect(refused.headers.get('retry-after')).toBe('60');
    expect((await refusalOf(refused)).message).toMatch(/^This address, without a valid API key, has sent/);
    nextMinute();
    expect(await statusOf(list(api, wrong))).toBe(401);
  });

  test('locks out no key that was valid here before, but learns nothing of any other', async () => {
    const api = await start({ RATE_LIMIT_ADDRESS_PER_MINUTE: '2' });
    const [known, fresh] = [await keyOf(api), await keyOf(api)];
    expect(await statusOf(list(api, known))).toBe(200);
    await Promise.all(times(2, () => list(api, wrong)));
    expect([await statusOf(list(api, known)), await statusOf(list(api, fresh))]).toEqual([200, 429]);
    await api.db.updateTable('api_key').set({ revoked_at: new Date() }).execute();
    expect(await statusOf(list(api, known))).toBe(429);
  });

  test('of many attempts at once learns the verdict of no more', async () => {
    const api = await start({ RATE_LIMIT_ADDRESS_PER_MINUTE: '3' });
    const statuses = await Promise.all(times(40, () => statusOf(list(api, wrong))));
    expect(statuses.filter((status) => status === 401)).toHaveLength(3);
  });
});

describe('the address of a client', () => {
  const attempts = async (trusted: string | undefined, forwarded: readonly string[]) => {
    const api = await start({
      RATE_LIMIT_ADDRESS_PER_MINUTE: '1',
      ...(trusted === undefined ? {} : { TRUST_PROXY: trusted }),
    });
    const statuses = [];
    for (const header of forwarded)
      statuses.push(await statusOf(list(api, wrong, { 'x-forwarded-for': header })));
    return statuses;
  };

  test.each([
    ['nobody is believed by default', undefined, ['1.1.1.1', '2.2.2.2'], [401, 429]],
    ['one proxy is believed what it added', 'true', ['1.1.1.1', '2.2.2.2', '2.2.2.2'], [401, 401, 429]],
    [
      'one proxy is not believed what its client said',
      'true',
      ['9.9.9.1, 1.1.1.1', '9.9.9.2, 1.1.1.1'],
      [401, 429],
    ],
    ['two proxies', '2', ['9.9.9.1, 1.1.1.1, 10.0.0.1', '9.9.9.2, 1.1.1.1, 10.0.0.2'], [401, 429]],
    [
      'proxies by their addresses',
      '127.0.0.1,10.0.0.0/8',
      ['1.1.1.1, 10.0.0.1', '2.2.2.2, 10.0.0.1'],
      [401, 401],
    ],
    ['others than these are not believed', '10.0.0.0/8', ['1.1.1.1', '2.2.2.2'], [401, 429]],
  ] as const)('%s', async (_name, trusted, forwarded, expected) => {
    expect(await attempts(trusted, forwarded)).toEqual(expected);
  });
});

describe('with Redis', () => {
  let redis: TestRedis | null = null;
  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis?.remove());

  test('several API processes count together; while it is away requests pass', async ({ skip }) => {
    if (redis === null) return skip();
    const environment = {
      REDIS_URL: redis.url,
      RATE_LIMIT_SECRET_PER_MINUTE: '3',
      RATE_LIMIT_ADDRESS_PER_MINUTE: '2',
    };
    const [one, two] = [await start(environment), await start(environment)];
    const key = await keyOf(one);
    const asked = [one, two, one, two, one];
    const statuses = [];
    for (const api of asked) statuses.push(await statusOf(list(api, key)));
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    const strangers = [];
    for (const api of asked) strangers.push(await statusOf(list(api, wrong)));
    expect(strangers).toEqual([401, 401, 429, 429, 429]);

    await redis.stop();
    for (const api of asked) expect(await statusOf(list(api, key))).toBe(200);
    expect(await statusOf(list(one, wrong))).toBe(401);

    await redis.start();
    const counted = async () => {
      nextMinute();
      return (await list(one, key)).headers.has('ratelimit-limit');
    };
    await expect.poll(counted, { timeout: 20_000 }).toBe(true);
  });
});
