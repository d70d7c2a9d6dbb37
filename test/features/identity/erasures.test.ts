import { beforeEach, describe, expect, test } from 'vitest';
import { createSink } from '../../../src/domain/deliveries/sinks.ts';
import { runErasures } from '../../../src/features/identity/run-erasures.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { createKey, hours, noon, times } from '../../support/factories.ts';
import {
  askToErase,
  at,
  closeErasures,
  type Erasure,
  everything,
  live,
  readErasure,
  rowsOf,
  runUntil,
  withoutPosthog,
} from './erasure-scene.ts';
import { project, send } from './support.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  api.clock.set(noon);
  await closeErasures(api);
  tenant = await createTenant(api);
});

const erase = (user: string): Promise<string> => askToErase(api, tenant.key, user);
const read = (id: string): Promise<Erasure> => readErasure(api, tenant.key, id);
const reach = (id: string, status: string): Promise<Erasure> => runUntil(api, tenant.key, { id, status });
const rows = (table: Parameters<typeof rowsOf>[2], organizationId = tenant.organizationId) =>
  rowsOf(api, organizationId, table);
const all = (): Promise<string> => everything(api, tenant.organizationId);

describe('an erasure', () => {
  test('leaves nothing that names the person, and what the business needs without saying whose it was', async () => {
    await live(api, tenant.key);
    const id = await erase('jane@example.com');
    expect(await read(id)).toMatchObject({ status: 'received' });
    await project(api);
    expect(await read(id)).toMatchObject({ status: 'erasing', events_deleted: 0 });
    const done = await reach(id, 'done');
    expect(done.posthog).toMatchObject({ state: 'not_configured', attempts: 0 });
    expect(done.events_deleted).toBeGreaterThanOrEqual(2);
    expect(await all()).not.toMatch(/jane|203\.0\.113\.7|facebook/i);

    const purchases = await api.db
      .selectFrom('domain_event')
      .selectAll()
      .where('organization_id', '=', tenant.organizationId)
      .where('event_name', '=', 'purchase_completed')
      .orderBy('occurred_at')
      .execute();
    const pseudonym = purchases[0]?.user_id;
    expect(pseudonym).toMatch(/^erased-[0-9a-f]{32}$/);
    expect(purchases).toMatchObject([
      {
        user_id: pseudonym,
        session_id: null,
        entity_type: 'user',
        entity_id: pseudonym,
        correlation_id: null,
        context: {},
        properties: { amount: 12 },
      },
      { user_id: 'john', properties: { amount: 7 } },
    ]);
    expect(await rows('identity_link')).toMatchObject([{ user_id: 'john' }]);
    expect(await rows('erasure_request')).toMatchObject([{ user_id: null, distinct_ids: [] }]);
  });

  test('holds where the visitor came, logged in and was deleted in one request: nothing concluded makes it anew', async () => {
    const [, , id = ''] = await send(api, tenant.key, [
      { event: 'landing_view', distinct_id: 'visitor-one', utm_source: 'facebook', fbclid: 'click-one' },
      { event: 'login_success', distinct_id: 'visitor-one', user_id: 'quick' },
      { event: 'account_deleted', user_id: 'quick' },
    ]);
    await project(api);
    await reach(id, 'done');
    expect(await rows('visitor')).toEqual([]);
    expect(await all()).not.toMatch(/visitor-one|quick|facebook|click-one/);
  });

  test('leaves no number of a tenant by which the person could be looked up, and the ids of our own things', async () => {
    const [, , id = ''] = await send(api, tenant.key, [
      {
        event: 'purchase_completed',
        user_id: 'buyer',
        entity_type: 'order',
        entity_id: 'o-77',
        correlation_id: 'cart-of-buyer',
        properties: { price: 29, currency: 'EUR', order_id: 'o-77' },
      },
      {
        event: 'processing_completed',
        user_id: 'buyer',
        entity_type: 'export',
        entity_id: 'e-1',
        properties: { job_id: 'e-1' },
      },
      { event: 'account_deleted', user_id: 'buyer' },
    ]);
    await project(api);
    await reach(id, 'done');
    expect(await all()).not.toMatch(/buyer|o-77/);
    expect(await rows('domain_event')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          event_name: 'purchase_completed',
          properties: { price: 29, currency: 'EUR' },
        }),
        expect.objectContaining({ event_name: 'processing_completed', entity_id: 'e-1' }),
      ]),
    );
  });

  test('is also what an account_deleted of the backend asks for, under the id of that event', async () => {
    await live(api, tenant.key);
    const [id = ''] = await send(api, tenant.key, [
      { event: 'account_deleted', user_id: 'jane@example.com' },
    ]);
    await project(api);
    await reach(id, 'done');
    expect(await all()).not.toContain('jane');
  });

  test('of one organization leaves the same ids of another alone, even under the same event id', async () => {
    const other = await createTenant(api);
    await live(api, tenant.key);
    await live(api, other.key);
    const id = await erase('jane@example.com');
    await send(api, other.key, [{ event: 'account_deleted', id, user_id: 'nobody' }]);
    await project(api);
    await reach(id, 'done');
    expect(await all()).not.toContain('jane');
    const theirs = JSON.stringify(await rows('domain_event', other.organizationId));
    expect(theirs).toContain('jane@example.com');
    expect(await rows('identity_link', other.organizationId)).toHaveLength(2);
    expect(await rows('erasure_request', other.organizationId)).toMatchObject([{ id }]);
  });

  test('does not touch what comes later for the same ids: that is a new person', async () => {
    await live(api, tenant.key);
    const id = await erase('jane@example.com');
    api.clock.advance(1_000);
    const later = { timestamp: api.clock.now().toISOString() };
    const [view = '', login = ''] = await send(api, tenant.key, [
      { event: 'landing_view', source: 'web', distinct_id: 'jane-phone', ...later },
      { event: 'login_success', user_id: 'jane@example.com', distinct_id: 'jane-phone', ...later },
    ]);
    await project(api);
    await reach(id, 'done');
    const written = await api.db
      .selectFrom('domain_event')
      .selectAll()
      .where('id', 'in', [view, login])
      .execute();
    expect(written.map((row) => [row.distinct_id, row.user_id]).toSorted()).toEqual([
      ['jane-phone', null],
      ['jane-phone', 'jane@example.com'],
    ]);
    expect(await rows('identity_link')).toMatchObject([
      { user_id: 'john' },
      { user_id: 'jane@example.com', distinct_id: 'jane-phone' },
    ]);
    expect(await rows('visitor')).toHaveLength(2);
    const consent = await api.call('/api/v1/users/jane%40example.com/consent', { key: tenant.key });
    expect(await consent.json()).toMatchObject({ ads_allowed: null, analytics_allowed: null });
  });

  test('skips what sinks still wait for, but tells them of the deletion before that becomes nameless', async () => {
    const sink = {
      id: `sink-${tenant.organizationId}`,
      kind: 'webhook',
      organizationId: tenant.organizationId,
      shards: 1,
    };
    await api.db.transaction().execute((tx) => createSink(tx, sink, new Date(Date.parse(noon) - 1_000)));
    await live(api, tenant.key);
    const id = await erase('jane@example.com');
    await project(api);
    const erasure = await reach(id, 'telling_sinks');
    expect(erasure.events_pseudonymised).toBeGreaterThan(0);
    const deliveries = () =>
      api.db.selectFrom('event_delivery').selectAll().where('sink_id', '=', sink.id).execute();
    const deletion = () =>
      api.db.selectFrom('domain_event').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    const states = await deliveries();
    const johns = states.filter((one) => one.state === 'pending' && one.event_id !== id);
    expect(states.find((one) => one.event_id === id)).toMatchObject({ state: 'pending' });
    expect(states.filter((one) => one.state === 'skipped').length).toBeGreaterThanOrEqual(4);
    expect(new Set(states.filter((one) => one.state === 'skipped').map((one) => one.reason))).toEqual(
      new Set(['erased']),
    );
    expect(johns.length).toBeGreaterThan(0);
    expect(await deletion()).toMatchObject({ user_id: 'jane@example.com', open_deliveries: 1 });

    await api.db.updateTable('domain_event').set({ open_deliveries: 0 }).where('id', '=', id).execute();
    await reach(id, 'done');
    expect((await deletion()).user_id).toMatch(/^erased-/);
  });

  test('does not wait for ever for a sink that is away', async () => {
    await live(api, tenant.key);
    const id = await erase('jane@example.com');
    await project(api);
    await api.db.updateTable('domain_event').set({ open_deliveries: 1 }).where('id', '=', id).execute();
    await reach(id, 'telling_sinks');
    api.clock.advance(hours(5 * 24));
    await reach(id, 'done');
    expect(await all()).not.toContain('jane');
  });

  test('of many events goes in batches, and several processes share the work', async () => {
    for (const from of [0, 900]) {
      await send(
        api,
        tenant.key,
        times(900, (index) => ({
          event: index % 2 === 0 ? 'purchase_completed' : 'landing_view',
          user_id: 'busy',
          timestamp: at(from + index),
          properties: { amount: index },
        })),
      );
    }
    const id = await erase('busy');
    await project(api);
    await Promise.all(times(4, () => runErasures(withoutPosthog(api), api.clock.now())));
    const done = await reach(id, 'done');
    expect(done.events_deleted + done.events_pseudonymised).toBeGreaterThanOrEqual(1801);
    expect(await all()).not.toContain('busy');
  });

  test('is made by the backend only: a browser cannot ask for it', async () => {
    await live(api, tenant.key);
    const { key } = await createKey(api.db, tenant.organizationId, 'publishable');
    const direct = await api.call('/api/v1/users/john/personal-data', { method: 'DELETE', key });
    expect(await refusalOf(direct)).toMatchObject({ status: 403 });
    const tracked = { distinct_id: 'johns-phone', events: [{ event: 'account_deleted' }] };
    expect(await (await api.call('/api/v1/track', { key, body: tracked })).json()).toMatchObject({
      refused: 1,
    });
  });

  test('is seen by its own organization, newest first, and by nobody else', async () => {
    const ids = [await erase('a'), await erase('b'), await erase('c')];
    await project(api);
    const list = async (query: string, key = tenant.key) =>
      (await (await api.call(`/api/v1/erasures?${query}`, { key })).json()) as {
        erasures: Erasure[];
        nextCursor: string | null;
      };
    const first = await list('limit=2');
    const rest = await list(`cursor=${first.nextCursor}`);
    expect([...first.erasures, ...rest.erasures].map((one) => one.id).toSorted()).toEqual(ids.toSorted());
    const other = await createTenant(api);
    expect(await list('', other.key)).toEqual({ erasures: [], nextCursor: null });
    for (const path of [`/api/v1/erasures/${ids[0]}`, `/api/v1/erasures/${ids[0]}/retry`]) {
      const response = await api.call(path, {
        key: other.key,
        method: path.endsWith('retry') ? 'POST' : 'GET',
      });
      expect(await refusalOf(response)).toMatchObject({ status: 404 });
    }
  });
});
