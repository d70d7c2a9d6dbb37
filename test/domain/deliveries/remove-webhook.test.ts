import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { startDispatcherMaintenance } from '../../../src/apps/dispatcher/maintenance.ts';
import { skipDeliveriesOfRemovedSinks } from '../../../src/domain/deliveries/skip-deliveries.ts';
import { removeWebhook } from '../../../src/domain/deliveries/webhook-endpoints.ts';
import { loadConfig } from '../../../src/platform/config/config.ts';
import { createLifecycle } from '../../../src/platform/lifecycle/lifecycle.ts';
import { addSink, projectAll, writeEvents } from '../../features/delivery/delivery-scene.ts';
import { createOrganization, openTestDatabase, silentLog, times } from '../../support/factories.ts';

const database = await openTestDatabase();
const { db } = database;
afterAll(database.close);

const clock = { now: () => new Date() };
const log = { warn: vi.fn() };
let organizationId: string;
let id: string;
beforeEach(async () => {
  log.warn.mockClear();
  organizationId = await createOrganization(db);
  id = randomUUID();
  await addSink(db, { id, kind: 'webhook', organizationId, shards: 4 }, clock.now());
});

/** Of as many things, so that they lie in all shards. */
const wait = async (count: number): Promise<void> => {
  await writeEvents(
    db,
    organizationId,
    times(count, (n) => ({ entity: `x${n}` })),
    clock.now(),
  );
  await projectAll(db, clock);
};

const skippedBy = async () => {
  const { rows } = await sql<{ state: string; shard: number; transactions: number; n: number }>`
    SELECT state, shard, count(DISTINCT xmin::text)::int AS transactions, count(*)::int AS n FROM event_delivery
    WHERE sink_id = ${id} GROUP BY state, shard ORDER BY shard, state`.execute(db);
  return rows;
};

const openEvents = async (): Promise<number> => {
  const { rows } = await sql<{ n: number }>`
    SELECT count(*)::int AS n FROM domain_event
    WHERE organization_id = ${organizationId} AND (open_deliveries <> 0 OR NOT is_processed OR processed_at IS NULL)`.execute(
    db,
  );
  return rows[0]?.n ?? 0;
};

const statusOf = async () =>
  (await db.selectFrom('event_sink').select('status').where('id', '=', id).executeTakeFirst())?.status;

test('what waits for a removed endpoint is skipped in many small transactions, and its events are processed', async () => {
  await wait(4_800);
  await removeWebhook({ db, log }, { organizationId, id }, clock.now());
  const skipped = await skippedBy();
  expect(skipped.map((one) => one.state)).toEqual(times(4, () => 'skipped'));
  // About 1,200 a shard, in transactions of 1,000 at most.
  for (const { n, transactions } of skipped) expect(transactions).toBe(Math.ceil(n / 1_000));
  expect(await openEvents()).toBe(0);
});

/** Ends the session of this database that waits for a lock, as the death of its process would. */
const killWhoWaits = (): Promise<void> =>
  vi.waitFor(
    async () => {
      const { rows } = await sql`
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(db);
      expect(rows).toHaveLength(1);
    },
    { timeout: 20_000, interval: 20 },
  );

test('a session that dies halfway has removed the endpoint, and the next round skips what is left', async () => {
  await wait(40);
  await db.transaction().execute(async (tx) => {
    await sql`SELECT FROM delivery_shard WHERE sink_id = ${id} AND shard = 2 FOR UPDATE`.execute(tx);
    const removing = removeWebhook({ db, log }, { organizationId, id }, clock.now());
    await killWhoWaits();
    await removing;
  });
  expect(await statusOf()).toBe('removed');
  expect(log.warn).toHaveBeenCalledWith(expect.objectContaining({ sinkId: id }), expect.any(String));
  expect((await skippedBy()).map(({ shard, state }) => [shard, state])).toEqual([
    [0, 'skipped'],
    [1, 'skipped'],
    [2, 'pending'],
    [3, 'pending'],
  ]);
  expect(await openEvents()).toBeGreaterThan(0);
  await skipDeliveriesOfRemovedSinks({ db, log });
  expect((await skippedBy()).map((one) => one.state)).toEqual(times(4, () => 'skipped'));
  expect(await openEvents()).toBe(0);
});

test('of very many, whoever removes it waits for the first only', async () => {
  await wait(4);
  // Deliveries without events, which are quicker to make: nothing counts on them.
  await sql`
    INSERT INTO event_delivery (sink_id, organization_id, event_id, event_name, received_at, retention_class, lane, shard, next_at, created_at)
    SELECT ${id}, ${organizationId}, gen_random_uuid(), 'gone', now(), 'business', n, n % 4, now(), now()
    FROM generate_series(1, 15000) AS n`.execute(db);
  await sql`UPDATE delivery_shard SET due_at = now() WHERE sink_id = ${id}`.execute(db);
  await removeWebhook({ db, log }, { organizationId, id }, clock.now());
  const pending = (await skippedBy()).filter(({ state }) => state === 'pending');
  expect(pending.reduce((sum, { n }) => sum + n, 0)).toBeGreaterThan(0);
  await skipDeliveriesOfRemovedSinks({ db, log });
  expect((await skippedBy()).map((one) => one.state)).toEqual(times(4, () => 'skipped'));
});

test('a shard that is held elsewhere makes no removal fail, and holds up no other shard or sink', async () => {
  const other = randomUUID();
  await addSink(db, { id: other, kind: 'webhook', organizationId, shards: 4 }, clock.now());
  await wait(40);
  await db.transaction().execute(async (tx) => {
    await sql`SELECT FROM delivery_shard WHERE sink_id = ${id} AND shard = 0 FOR UPDATE`.execute(tx);
    await removeWebhook({ db, log }, { organizationId, id }, clock.now());
    expect(await statusOf()).toBe('removed');
    expect(log.warn.mock.calls).toMatchObject([[{ sinkId: id, err: { code: '55P03' } }, expect.anything()]]);
    await sql`UPDATE event_sink SET status = 'removed' WHERE id = ${other}`.execute(db);
    await skipDeliveriesOfRemovedSinks({ db, log });
    expect(log.warn).toHaveBeenLastCalledWith(
      expect.objectContaining({ sinkId: id, shard: 0 }),
      expect.any(String),
    );
  });
  const { rows } = await sql`
    SELECT DISTINCT sink_id, shard FROM event_delivery
    WHERE sink_id IN (${id}, ${other}) AND state = 'pending'`.execute(db);
  expect(rows).toEqual([{ sink_id: id, shard: 0 }]);
  await skipDeliveriesOfRemovedSinks({ db, log });
  expect(await openEvents()).toBe(0);
});

test('a removed sink that has nothing left is not looked at, until something is routed to it', async () => {
  await wait(40);
  await removeWebhook({ db, log }, { organizationId, id }, clock.now());
  const due = async () =>
    (await sql`SELECT FROM delivery_shard WHERE sink_id = ${id} AND due_at IS NOT NULL`.execute(db)).rows
      .length;
  expect(await due()).toBe(0);
  // As a projector that read its sinks before the removal does.
  await sql`UPDATE event_sink SET status = 'enabled' WHERE id = ${id}`.execute(db);
  await wait(1);
  await sql`UPDATE event_sink SET status = 'removed' WHERE id = ${id}`.execute(db);
  expect(await due()).toBe(1);
  await skipDeliveriesOfRemovedSinks({ db, log });
  expect([await due(), await openEvents()]).toEqual([0, 0]);
});

test('the dispatcher skips within seconds what was routed in the moment of a removal', async () => {
  const lifecycle = createLifecycle({ log: silentLog, deadlineMs: 10_000 });
  const config = loadConfig({});
  startDispatcherMaintenance({ config, db, clock, log: silentLog, lifecycle });
  try {
    await wait(4);
    await sql`UPDATE event_sink SET status = 'removed' WHERE id = ${id}`.execute(db);
    await expect.poll(openEvents, { timeout: 20_000, interval: 50 }).toBe(0);
  } finally {
    await lifecycle.stop('test');
  }
});
