import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { accept, createKey, createOrganization, createUser, noon, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
});

const put = (path: string, body: unknown) => api.call(path, { method: 'PUT', key: tenant.key, body });
const post = (path: string, body: unknown) => api.call(path, { key: tenant.key, body });
const read = (path: string) => api.call(path, { key: tenant.key });

describe('a user', () => {
  test('gets a tier, and is made by it', async () => {
    const response = await put('/api/users/ann', { tier: 'pro' });
    expect(response.status).toBe(200);
    const user = {
      id: 'ann',
      tier: 'pro',
      limit: 50,
      remaining: 50,
      resetAt: '2026-03-11T00:00:00.000Z',
      maxDurationSeconds: 120,
      concurrentRenders: 50,
      retentionDays: 180,
      credits: 0,
    };
    expect(await response.json()).toEqual(user);
    expect(await (await read('/api/users/ann')).json()).toEqual(user);
  });

  test('has what remains of the day, and its reset in the time zone of the organization', async () => {
    const organizationId = await createOrganization(api.db, { timeZone: 'Europe/Berlin' });
    const { key } = await createKey(api.db, organizationId);
    const who = await createUser(api.db, organizationId, {
      id: 'ann',
      tier: 'free',
      timeZone: 'Europe/Berlin',
    });
    await Promise.all(times(2, () => accept(api.db, who)));
    expect(await (await api.call('/api/users/ann', { key })).json()).toMatchObject({
      limit: 3,
      remaining: 1,
      resetAt: '2026-03-10T23:00:00.000Z',
    });
  });

  test('on a smaller tier than was used has nothing left, not less than nothing', async () => {
    const who = await createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'pro' });
    await Promise.all(times(5, () => accept(api.db, who)));
    expect(await (await put('/api/users/ann', { tier: 'free' })).json()).toMatchObject({
      limit: 3,
      remaining: 0,
    });
    expect(await (await put('/api/users/ann', { tier: 'unlimited' })).json()).toMatchObject({
      limit: null,
      remaining: null,
      maxDurationSeconds: null,
      concurrentRenders: null,
      retentionDays: null,
    });
  });

  test("is told of what the organization has changed of its tier's caps and retention", async () => {
    const tiers = { free: { concurrentRenders: 2, retentionDays: 0.5 }, pro: { retentionDays: null } };
    const organizationId = await createOrganization(api.db, { tiers });
    const { key } = await createKey(api.db, organizationId);
    const tell = async (tier: string) =>
      (await api.call('/api/users/ann', { method: 'PUT', key, body: { tier } })).json();
    expect(await tell('free')).toMatchObject({ concurrentRenders: 2, retentionDays: 0.5 });
    expect(await tell('pro')).toMatchObject({ concurrentRenders: 50, retentionDays: null });
  });

  test.each(['Zoë Müller', 'mail@example.com', 'a/b:c', '100%', '🙂', 'ユ'.repeat(128)])(
    'may be called %s',
    async (id) => {
      const path = `/api/users/${encodeURIComponent(id)}`;
      expect(await (await put(path, { tier: 'free' })).json()).toMatchObject({ id });
      expect(await (await read(path)).json()).toMatchObject({ id });
    },
  );

  test.each([
    ['a tier that is none', 'ann', { tier: 'gold' }],
    ['no tier', 'ann', {}],
    ['something else', 'ann', { tier: 'pro', admin: true }],
    ['an id with a NUL', 'a%00b', { tier: 'pro' }],
    ['an id that is a space', '%20', { tier: 'pro' }],
    ['an id of 129 characters', 'u'.repeat(129), { tier: 'pro' }],
    ['an id that is not properly encoded', '%ZZ', { tier: 'pro' }],
  ])('with %s is 400', async (_name, id, body) => {
    expect(await refusalOf(await put(`/api/users/${id}`, body))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  test('of another organization, or of none, is 404', async () => {
    await put('/api/users/ann', { tier: 'pro' });
    const other = await createTenant(api);
    expect(await refusalOf(await api.call('/api/users/ann', { key: other.key }))).toMatchObject({
      status: 404,
      message: 'There is no user "ann".',
    });
    const credits = { key: other.key, body: { amount: 5 } };
    expect(await refusalOf(await api.call('/api/users/ann/credits', credits))).toMatchObject({
      status: 404,
      code: 'not_found',
    });
    expect(await (await read('/api/users/ann')).json()).toMatchObject({ credits: 0 });
  });
});

describe('credits', () => {
  test('are granted and topped up, and add up', async () => {
    await put('/api/users/ann', { tier: 'credits' });
    expect(await (await post('/api/users/ann/credits', { amount: 5 })).json()).toMatchObject({ credits: 5 });
    expect(
      await (
        await post('/api/users/ann/credits', { amount: 10, kind: 'top_up', reason: 'Invoice 7' })
      ).json(),
    ).toMatchObject({ credits: 15 });
    const entries = await api.db
      .selectFrom('credit_entry')
      .select(['kind', 'amount', 'balance_after', 'reason'])
      .where('organization_id', '=', tenant.organizationId)
      .orderBy('balance_after')
      .execute();
    expect(entries).toEqual([
      { kind: 'grant', amount: 5, balance_after: 5, reason: null },
      { kind: 'top_up', amount: 10, balance_after: 15, reason: 'Invoice 7' },
    ]);
  });

  test('of 20 grants at once are all there', async () => {
    await put('/api/users/ann', { tier: 'credits' });
    await Promise.all(times(20, () => post('/api/users/ann/credits', { amount: 1 })));
    expect(await (await read('/api/users/ann')).json()).toMatchObject({ credits: 20 });
  });

  test('can be granted until a balance holds no more, and then it says so', async () => {
    await put('/api/users/ann', { tier: 'credits' });
    await api.db
      .insertInto('credit_balance')
      .values({ organization_id: tenant.organizationId, user_id: 'ann', balance: 2_147_483_000 })
      .execute();
    expect(await refusalOf(await post('/api/users/ann/credits', { amount: 1000 }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
    expect(await (await read('/api/users/ann')).json()).toMatchObject({ credits: 2_147_483_000 });
  });

  test.each([
    { amount: 0 },
    { amount: -5 },
    { amount: 1.5 },
    { amount: 1_000_001 },
    { amount: '5' },
    {},
    { amount: 5, kind: 'refund' },
    { amount: 5, reason: 'x'.repeat(501) },
    { amount: 5, reason: 'a\0b' },
  ])('%j is 400', async (body) => {
    await put('/api/users/ann', { tier: 'credits' });
    expect(await refusalOf(await post('/api/users/ann/credits', body))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });
});

describe('a project', () => {
  test('gets a name, and is made by it', async () => {
    const response = await put('/api/projects/spring', { name: '  Spring 2026 ' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: 'spring',
      name: 'Spring 2026',
      exportCount: 0,
      lastExportAt: null,
    });
  });

  test('counts its exports', async () => {
    const who = await createUser(api.db, tenant.organizationId);
    await Promise.all(times(3, () => accept(api.db, who, { projectId: 'spring' })));
    expect(await (await read('/api/projects/spring')).json()).toEqual({
      id: 'spring',
      name: null,
      exportCount: 3,
      lastExportAt: noon,
    });
    expect(await (await put('/api/projects/spring', { name: 'Spring' })).json()).toMatchObject({
      name: 'Spring',
      exportCount: 3,
    });
  });

  test.each([
    { name: '' },
    { name: '   ' },
    { name: 'x'.repeat(201) },
    { name: 5 },
    {},
    { name: 'a', owner: 'b' },
    { name: 'a\0b' },
  ])('with %j is 400', async (body) => {
    expect(await refusalOf(await put('/api/projects/spring', body))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  test('of another organization, or of none, is 404', async () => {
    await put('/api/projects/spring', { name: 'Spring' });
    const other = await createTenant(api);
    expect(await refusalOf(await api.call('/api/projects/spring', { key: other.key }))).toMatchObject({
      status: 404,
      code: 'not_found',
    });
    expect(await refusalOf(await read('/api/projects/autumn'))).toMatchObject({ status: 404 });
  });
});

test.each([
  ['PUT', '/api/users/ann'],
  ['GET', '/api/users/ann'],
  ['POST', '/api/users/ann/credits'],
  ['PUT', '/api/projects/spring'],
  ['GET', '/api/projects/spring'],
])(
  '%s %s is 401 without a key and 403 with a publishable one, before anything is read',
  async (method, path) => {
    const { key } = await createKey(api.db, tenant.organizationId, 'publishable');
    const text = method === 'GET' ? {} : { text: '{broken' };
    expect(await refusalOf(await api.call(path, { method, ...text }))).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
    expect(await refusalOf(await api.call(path, { method, key, ...text }))).toMatchObject({
      status: 403,
      code: 'forbidden',
    });
  },
);
