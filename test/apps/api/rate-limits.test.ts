import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRefusalLog } from '../../../src/platform/http/refusal-log.ts';
import type { Logger } from '../../../src/platform/log/log.ts';
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
/** Steady time stands still: a minute must not end in the middle of a test, and one of them makes it end. */
let steady = 0;
beforeEach(() => {
  steady = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => steady);
});
afterEach(async () => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  await Promise.all(opened.splice(0).map((api) => api.close()));
});

const start = async (environment: Record<string, string>, log?: Logger): Promise<TestApi> => {
  const api = await startTestApi({ databaseUrl: database.url, environment, ...(log ? { log } : {}) });
  opened.push(api);
  return api;
};
const nextMinute = () => {
  steady += 60_000;
};
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
    expect(await (await api.call('/metrics')).text()).toContain(
      'rendermill_rate_limited_total{by="secret_key"} 1',
    );
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

describe('a clock that is set back', () => {
  test('locks out neither a key nor an address for longer than their minute', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const api = await start({ RATE_LIMIT_SECRET_PER_MINUTE: '1', RATE_LIMIT_ADDRESS_PER_MINUTE: '1' });
    const key = await keyOf(api);
    expect([await statusOf(list(api, key)), await statusOf(list(api, key))]).toEqual([200, 429]);
    expect([await statusOf(list(api, wrong)), await statusOf(list(api, wrong))]).toEqual([401, 429]);
    vi.setSystemTime(Date.now() - 3_600_000);
    nextMinute();
    expect([await statusOf(list(api, key)), await statusOf(list(api, wrong))]).toEqual([200, 401]);
  });
});

describe('the /48 of an address of IPv6', () => {
  const inNetwork = (index: number) => `2001:db8:1:${index.toString(16)}::1`;

  test('may ten times what one address may, with a publishable key', async () => {
    const api = await start({ RATE_LIMIT_ADDRESS_PER_MINUTE: '1', TRUST_PROXY: 'true' });
    const key = await keyOf(api, 'publishable');
    const statuses = [];
    for (const index of times(12, (n) => n)) statuses.push(await statusOf(track(api, key, inNetwork(index))));
    expect(statuses).toEqual([...times(10, () => 200), 429, 429]);
    // Another network, and another key from the same one.
    expect(await statusOf(track(api, key, '2001:db8:2:1::1'))).toBe(200);
    expect(await statusOf(track(api, await keyOf(api, 'publishable'), inNetwork(20)))).toBe(200);
    expect((await refusalOf(await track(api, key, inNetwork(30)))).message).toMatch(
      /^The network of this address has sent more than 10 requests within a minute/,
    );
    expect(await (await api.call('/metrics')).text()).toContain(
      'rendermill_rate_limited_total{by="publishable_network"} 3',
    );
    nextMinute();
    expect(await statusOf(track(api, key, inNetwork(0)))).toBe(200);
  });

  test('may guess ten times as many keys as one address may, at once or one by one', async () => {
    const api = await start({ RATE_LIMIT_ADDRESS_PER_MINUTE: '1', TRUST_PROXY: 'true' });
    const guess = (index: number) => statusOf(list(api, wrong, { 'x-forwarded-for': inNetwork(index) }));
    const statuses = await Promise.all(times(30, guess));
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(await guess(40)).toBe(429);
    expect(await statusOf(list(api, await keyOf(api), { 'x-forwarded-for': '198.51.100.1' }))).toBe(200);
  });
});

describe('an operator', () => {
  test('reads in the log which key and which address were stopped, each once a minute, and never a key itself', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const environment = { RATE_LIMIT_SECRET_PER_MINUTE: '1', RATE_LIMIT_ADDRESS_PER_MINUTE: '1' };
    const api = await start({ ...environment, TRUST_PROXY: 'true' }, log);
    const organizationId = await createOrganization(api.db);
    const secret = await createKey(api.db, organizationId);
    const published = await createKey(api.db, organizationId, 'publishable');
    const ask = async () => {
      for (const _again of times(3, () => 0)) {
        await list(api, secret.key, { 'x-forwarded-for': '203.0.113.1' });
        await list(api, wrong, { 'x-forwarded-for': '203.0.113.2' });
        await track(api, published.key, '2001:db8:1:2::3');
      }
    };
    const told = () =>
      lines.map(({ by, keyId, organizationId: of, address, limit, route }) => [
        by,
        keyId,
        of,
        address,
        limit,
        route,
      ]);
    const expected = [
      ['secret_key', secret.id, organizationId, '203.0.113.1', 1, '/api/compositions'],
      ['address', undefined, undefined, '203.0.113.2', 1, '/api/compositions'],
      ['publishable_address', published.id, organizationId, '2001:db8:1:2::3', 1, '/api/v1/track'],
    ];
    await ask();
    expect(told()).toEqual(expected);
    nextMinute();
    await ask();
    expect(told()).toEqual([...expected, ...expected]);
    expect(JSON.stringify(lines)).not.toMatch(/rm_[spa]k_/);
  });

  test('reads fifty names a minute, and how many more there were', async () => {
    const lines: Record<string, unknown>[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const tell = createRefusalLog(log);
    const tellOf = (address: string) =>
      tell(address, { by: 'address', address, limit: 1, route: '/' }, 'stopped');
    for (const index of times(60, (n) => n)) tellOf(`203.0.113.${index}`);
    expect(lines).toHaveLength(50);
    nextMinute();
    tellOf('203.0.113.1');
    expect(lines.slice(50)).toMatchObject([{ requests: 10 }, { address: '203.0.113.1' }]);
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
