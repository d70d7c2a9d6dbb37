import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { eventsOf, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
});

const setTier = (tier: string, id = 'ann') =>
  api.call(`/api/users/${id}`, { method: 'PUT', key: tenant.key, body: { tier } });
const credit = (body: unknown, key = tenant.key) => api.call('/api/users/ann/credits', { key, body });
const propertiesOf = async (name: string) =>
  (await eventsOf(api.db, tenant.organizationId))
    .filter((event) => event.event_name === name)
    .map((event) => event.properties);

describe('a change of plan', () => {
  test('is recorded with both plans, in the name of the user', async () => {
    const response = await setTier('pro');
    await setTier('credits');
    expect(await propertiesOf('plan_changed')).toEqual([
      { from_plan: 'free', to_plan: 'pro' },
      { from_plan: 'pro', to_plan: 'credits' },
    ]);
    const envelope = await api.db
      .selectFrom('domain_event')
      .select(['user_id', 'entity_type', 'entity_id', 'source', 'correlation_id'])
      .where('organization_id', '=', tenant.organizationId)
      .orderBy('position')
      .executeTakeFirst();
    expect(envelope).toEqual({
      user_id: 'ann',
      entity_type: 'user',
      entity_id: 'ann',
      source: 'server',
      correlation_id: response.headers.get('x-request-id'),
    });
  });

  test('is none at first sight with tier free, and none where the tier stays', async () => {
    await setTier('free');
    await setTier('free');
    expect(await propertiesOf('plan_changed')).toEqual([]);
    await setTier('pro');
    await setTier('pro');
    expect(await propertiesOf('plan_changed')).toHaveLength(1);
  });

  test('of twenty at once is recorded as often as the plan changed, each from what the one before left', async () => {
    const tiers = times(20, (index) => ['pro', 'credits', 'unlimited', 'free'][index % 4] ?? 'free');
    await Promise.all(tiers.map((tier) => setTier(tier)));
    const changes = await propertiesOf('plan_changed');
    let plan = 'free';
    for (const { from_plan, to_plan } of changes) {
      expect(from_plan).toBe(plan);
      expect(to_plan).not.toBe(plan);
      plan = String(to_plan);
    }
    expect(await (await api.call('/api/users/ann', { key: tenant.key })).json()).toMatchObject({
      tier: plan,
    });
  });
});

describe('credits', () => {
  beforeEach(() => setTier('free'));

  test('that are granted are recorded with what there was before and after, and why', async () => {
    await credit({ amount: 5 });
    await credit({ amount: 3, reason: 'Welcome' });
    expect(await propertiesOf('credits_granted')).toEqual([
      { credits_added: 5, credits_before: 0, credits_after: 5 },
      { credits_added: 3, credits_before: 5, credits_after: 8, reason: 'Welcome' },
    ]);
    expect(await propertiesOf('topup_purchased')).toEqual([]);
  });

  test('that were paid for are recorded with the order', async () => {
    const order = {
      order_id: 'order-7',
      sku: 'pack-100',
      price: 9.99,
      currency: 'EUR',
      payment_provider: 'stripe',
      coupon: 'SPRING',
    };
    await credit({ amount: 100, kind: 'top_up', reason: 'Invoice 7', ...order });
    await credit({ amount: 1, kind: 'top_up' });
    expect(await propertiesOf('topup_purchased')).toEqual([
      { credits_added: 100, credits_before: 0, credits_after: 100, ...order },
      { credits_added: 1, credits_before: 100, credits_after: 101 },
    ]);
    expect(await propertiesOf('credits_granted')).toEqual([]);
  });

  test('of 20 grants and top-ups at once are one chain from 0 to 20', async () => {
    await Promise.all(times(20, (index) => credit({ amount: 1, kind: index % 2 ? 'grant' : 'top_up' })));
    const moves = [...(await propertiesOf('credits_granted')), ...(await propertiesOf('topup_purchased'))]
      .map(({ credits_before, credits_after }) => [Number(credits_before), Number(credits_after)] as const)
      .toSorted(([a], [b]) => a - b);
    expect(moves).toEqual(times(20, (index) => [index, index + 1]));
  });

  test.each([
    ['a grant with an order', { amount: 1, order_id: 'order-7' }],
    ['a grant with a price', { amount: 1, kind: 'grant', price: 0 }],
    ['a currency in small letters', { amount: 1, kind: 'top_up', currency: 'eur' }],
    ['a negative price', { amount: 1, kind: 'top_up', price: -1 }],
    ['an endless price', { amount: 1, kind: 'top_up', price: 1e300 }],
    ['an order of 201 characters', { amount: 1, kind: 'top_up', order_id: 'x'.repeat(201) }],
    ['a number for an order', { amount: 1, kind: 'top_up', order_id: 7 }],
    ['an order with a NUL', { amount: 1, kind: 'top_up', order_id: 'a\0b' }],
    ['half of a surrogate pair', { amount: 1, kind: 'top_up', sku: '\ud800' }],
    ['something else', { amount: 1, kind: 'top_up', colour: 'red' }],
  ])('of %s are 400, and neither given nor recorded', async (_name, body) => {
    expect(await refusalOf(await credit(body))).toMatchObject({ status: 400, code: 'invalid_request' });
    expect(await (await api.call('/api/users/ann', { key: tenant.key })).json()).toMatchObject({
      credits: 0,
    });
    expect(await eventsOf(api.db, tenant.organizationId)).toEqual([]);
  });

  test('with __proto__ in the body are 400', async () => {
    const text = '{"amount":1,"kind":"top_up","__proto__":{"price":1}}';
    const response = await api.call('/api/users/ann/credits', { key: tenant.key, text });
    expect((await refusalOf(response)).status).toBe(400);
  });

  test('of a user of another organization are 404 and recorded nowhere', async () => {
    const other = await createTenant(api);
    expect((await credit({ amount: 5 }, other.key)).status).toBe(404);
    expect(await eventsOf(api.db, other.organizationId)).toEqual([]);
    expect(await eventsOf(api.db, tenant.organizationId)).toEqual([]);
  });
});
