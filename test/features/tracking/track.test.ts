import { beforeEach, describe, expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { createKey, noon, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
let publishable: string;
beforeEach(async () => {
  tenant = await createTenant(api);
  publishable = (await createKey(api.db, tenant.organizationId, 'publishable')).key;
});

const track = async (body: unknown, key = publishable): Promise<unknown> => {
  const response = await api.call('/api/v1/track', { key, body });
  expect(response.status).toBe(200);
  return response.json();
};

const log = () =>
  api.db
    .selectFrom('domain_event')
    .selectAll()
    .where('organization_id', '=', tenant.organizationId)
    .orderBy('position')
    .execute();

describe('a browser', () => {
  test('tells what its visitor did; what is beside the events is of each that does not say otherwise', async () => {
    expect(
      await track({
        distinct_id: 'anon_1',
        session_id: 's-1',
        context: { browser: 'Firefox', utm_source: 'facebook' },
        events: [
          { event: 'landing_view', properties: { page_path: '/' }, timestamp: Date.parse(noon) - 1_000 },
          { eventName: 'cta_click', session_id: 's-2', context: { utm_source: 'google' } },
        ],
      }),
    ).toMatchObject({ accepted: 2, refused: 0 });
    const shared = { distinct_id: 'anon_1', source: 'web', retention_class: 'behaviour', user_id: null };
    expect(await log()).toMatchObject([
      {
        ...shared,
        event_name: 'landing_view',
        session_id: 's-1',
        occurred_at: new Date(Date.parse(noon) - 1_000),
        context: { browser: 'Firefox', utm_source: 'facebook', page_path: '/' },
      },
      {
        ...shared,
        event_name: 'cta_click',
        session_id: 's-2',
        occurred_at: new Date(noon),
        context: { browser: 'Firefox', utm_source: 'google' },
      },
    ]);
  });

  test.each<[string, object, string]>([
    ['that money was paid', { event: 'purchase_completed' }, 'event_source_refused'],
    [
      'that money was paid, as a server',
      { event: 'purchase_completed', source: 'server' },
      'event_source_refused',
    ],
    ['that someone logged in', { event: 'login_success' }, 'event_source_refused'],
    ['that someone logged in, by an alias', { event: 'user_login_succeeded' }, 'event_source_refused'],
    ['that an account is deleted', { event: 'account_deleted' }, 'event_source_refused'],
    ['that a video was rendered', { event: 'video_rendered' }, 'event_owned_by_service'],
    ['who its user is', { event: 'landing_view', user_id: 'ann' }, 'forbidden'],
    [
      'that it is about an export',
      { event: 'download_clicked', entity_type: 'export', entity_id: 'e-1' },
      'forbidden',
    ],
    ['what caused it', { event: 'download_clicked', correlation_id: 'c-1' }, 'forbidden'],
  ])('cannot tell %s', async (_what, event, code) => {
    expect(await track({ distinct_id: 'anon_1', events: [event, { event: 'landing_view' }] })).toMatchObject({
      accepted: 1,
      refused: 1,
      results: [
        { index: 0, verdict: 'refused', code },
        { index: 1, verdict: 'accepted' },
      ],
    });
    expect(await log()).toMatchObject([{ event_name: 'landing_view' }]);
  });

  test('names no entity by a property either', async () => {
    await track({
      distinct_id: 'anon_1',
      events: [{ event: 'download_clicked', properties: { job_id: 'e-1' } }],
    });
    expect(await log()).toMatchObject([
      { entity_type: null, entity_id: null, properties: { job_id: 'e-1' } },
    ]);
  });

  test('must say which visitor it is', async () => {
    expect(await track({ events: [{ event: 'landing_view' }] })).toMatchObject({
      results: [
        { verdict: 'refused', code: 'event_malformed', message: expect.stringMatching(/distinct_id/) },
      ],
    });
  });

  test('has its context refused where it is none, event by event', async () => {
    expect(
      await track({
        distinct_id: 'anon_1',
        context: 'Firefox',
        events: [{ event: 'landing_view' }, { event: 'landing_view', context: { browser: 'Firefox' } }],
      }),
    ).toMatchObject({ results: [{ verdict: 'refused' }, { verdict: 'accepted' }] });
  });
});

describe('a secret key', () => {
  test('may name the user of a page, and still sends from the web only', async () => {
    expect(
      await track(
        {
          events: [
            { event: 'landing_view', user_id: 'ann' },
            { event: 'purchase_completed', user_id: 'ann' },
          ],
        },
        tenant.key,
      ),
    ).toMatchObject({
      results: [{ verdict: 'accepted' }, { verdict: 'refused', code: 'event_source_refused' }],
    });
    expect(await log()).toMatchObject([{ user_id: 'ann', source: 'web' }]);
  });
});

describe('a request', () => {
  test.each([
    ['101 events', { distinct_id: 'a', events: times(101, () => ({ event: 'landing_view' })) }],
    ['none', { distinct_id: 'a', events: [] }],
    ['no list', { distinct_id: 'a' }],
    ['a list beside nothing', [{ event: 'landing_view' }]],
  ])('of %s is refused as a whole', async (_what, body) => {
    expect(await refusalOf(await api.call('/api/v1/track', { key: publishable, body }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });

  test('takes no admin key', async () => {
    const { key } = await createKey(api.db, tenant.organizationId, 'admin');
    const body = { distinct_id: 'a', events: [{ event: 'landing_view' }] };
    expect(await refusalOf(await api.call('/api/v1/track', { key, body }))).toMatchObject({ status: 403 });
  });
});
