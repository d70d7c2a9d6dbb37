import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { createKey, noon, times } from '../../support/factories.ts';
import { type GivenEvent, project, send } from './support.ts';

const api = await openTestApi();
let tenant: Tenant;
let publishable: string;
beforeEach(async () => {
  tenant = await createTenant(api);
  publishable = (await createKey(api.db, tenant.organizationId, 'publishable')).key;
});

const put = (body: unknown, key = tenant.key) => api.call('/api/v1/consent', { method: 'PUT', key, body });
const consentOf = async (user: string, key = tenant.key): Promise<unknown> => {
  const response = await api.call(`/api/v1/users/${encodeURIComponent(user)}/consent`, { key });
  expect(response.status).toBe(200);
  return response.json();
};

describe('consent', () => {
  test('that a browser states for its visitor is its user’s, once that is known', async () => {
    const response = await put({ distinct_id: 'v', ads_allowed: false }, publishable);
    expect([response.status, await response.json()]).toEqual([202, { event_id: expect.any(String) }]);
    await api.call('/api/v1/identify', { key: tenant.key, body: { distinct_id: 'v', user_id: 'u' } });
    await project(api);
    expect(await consentOf('u')).toEqual({ user_id: 'u', ads_allowed: false, analytics_allowed: null });
  });

  test('that the backend states for a user goes through the log, and the newest one counts', async () => {
    await put({ user_id: 'ü/1', ads_allowed: true, analytics_allowed: true });
    api.clock.advance(1000);
    await put({ user_id: 'ü/1', analytics_allowed: false });
    await project(api);
    expect(await consentOf('ü/1')).toMatchObject({ ads_allowed: true, analytics_allowed: false });
    const other = await createTenant(api);
    expect(await consentOf('ü/1', other.key)).toMatchObject({ ads_allowed: null, analytics_allowed: null });
  });

  test('of a user is not for publishable keys', async () => {
    expect(await refusalOf(await put({ user_id: 'u', ads_allowed: true }, publishable))).toMatchObject({
      status: 403,
    });
    const read = await api.call('/api/v1/users/u/consent', { key: publishable });
    expect(await refusalOf(read)).toMatchObject({ status: 403 });
  });

  test.each([
    [{ ads_allowed: true }],
    [{ distinct_id: 'v' }],
    [{ distinct_id: 'v', user_id: 'u', ads_allowed: true }],
    [{ distinct_id: 'v', ads_allowed: 'yes' }],
    [{ distinct_id: 'v', adsAllowed: true }],
  ])('is not read from %j', async (body) => {
    expect(await refusalOf(await put(body))).toMatchObject({ status: 400 });
  });
});

describe('the events of a user', () => {
  interface Page {
    readonly events: readonly { readonly event: string; readonly id: string; readonly timestamp: string }[];
    readonly nextCursor: string | null;
  }
  const read = async (user: string, query = '', key = tenant.key): Promise<Page> => {
    const response = await api.call(`/api/v1/users/${user}/events?${query}`, { key });
    expect(response.status).toBe(200);
    return (await response.json()) as Page;
  };
  const names = async (user: string, query = '') => (await read(user, query)).events.map((one) => one.event);
  const at = (seconds: number) => new Date(Date.parse(noon) + seconds * 1000).toISOString();
  const story: readonly GivenEvent[] = [
    { event: 'landing_view', distinct_id: 'phone', source: 'web', timestamp: at(1) },
    { event: 'cta_click', distinct_id: 'laptop', source: 'web', timestamp: at(2) },
    { event: 'login_success', distinct_id: 'phone', user_id: 'u', timestamp: at(3) },
    { event: 'login_success', distinct_id: 'laptop', user_id: 'u', timestamp: at(4) },
    { event: 'pricing_view', distinct_id: 'laptop', source: 'web', timestamp: at(5) },
    { event: 'purchase_completed', user_id: 'u', timestamp: at(6) },
    { event: 'landing_view', distinct_id: 'strangers', source: 'web', timestamp: at(7) },
    { event: 'login_success', distinct_id: 'phone', user_id: 'second', timestamp: at(8) },
  ];
  const ours = (all: readonly string[]) =>
    all.filter((name) => story.some((one) => one.event === name) && name !== 'landing_view');

  test('hold what its visitors did before, and nothing of others', async () => {
    await send(api, tenant.key, story);
    await project(api);
    expect(ours(await names('u', 'order=oldest'))).toEqual([
      'cta_click',
      'login_success',
      'login_success',
      'pricing_view',
      'purchase_completed',
    ]);
    expect((await names('u')).filter((name) => name === 'landing_view')).toHaveLength(1);
    expect(await names('second')).toEqual(expect.arrayContaining(['login_success']));
    expect(await names('second')).not.toContain('landing_view');
    const other = await createTenant(api);
    expect(await read('u', '', other.key)).toEqual({ events: [], nextCursor: null });
  });

  test('are paged in both directions, each once, while new ones come in', async () => {
    const same = times(7, (index) => ({
      event: 'cta_click',
      source: 'web',
      timestamp: at(index < 4 ? 1 : index),
      ...(index % 2 === 0 ? { user_id: 'u' } : { distinct_id: 'v' }),
    }));
    await send(api, tenant.key, same);
    await api.call('/api/v1/identify', { key: tenant.key, body: { distinct_id: 'v', user_id: 'u' } });
    const all = (await read('u', 'limit=200')).events.map((one) => one.id);
    expect(all).toHaveLength(8);
    for (const order of ['newest', 'oldest']) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Page = await read(
          'u',
          `order=${order}&limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
        );
        seen.push(...page.events.map((one) => one.id));
        cursor = page.nextCursor;
        if (order === 'newest') {
          await send(api, tenant.key, [
            { event: 'cta_click', source: 'web', user_id: 'u', timestamp: at(100) },
          ]);
        }
      }
      const known = seen.filter((id) => all.includes(id));
      expect(known).toEqual(order === 'newest' ? all : all.toReversed());
    }
  });

  test.each(['limit=0', 'limit=201', 'order=random', 'cursor=nonsense', 'page=2'])(
    'refuse ?%s',
    async (query) => {
      const response = await api.call(`/api/v1/users/u/events?${query}`, { key: tenant.key });
      expect(await refusalOf(response)).toMatchObject({ status: 400 });
    },
  );

  test('are for secret keys', async () => {
    const response = await api.call('/api/v1/users/u/events', { key: publishable });
    expect(await refusalOf(response)).toMatchObject({ status: 403 });
  });
});
