/** The log is read up to the oldest transaction that has written or locked anything: what may last long must do neither before its end. */
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { giveUp } from '../../../src/domain/deliveries/give-up.ts';
import { resumeSink } from '../../../src/domain/deliveries/missed-events.ts';
import { replay } from '../../../src/domain/deliveries/redrive.ts';
import { disableSink } from '../../../src/domain/deliveries/sinks.ts';
import { addSink, deliveriesTo, projectAll, writeEvents } from '../../features/delivery/delivery-scene.ts';
import { minutes, openTestDatabase, times } from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date();
const clock = { now: () => now };
beforeAll(async () => {
  await addSink(db, { id: 's', shards: 1 }, now);
  await db.transaction().execute((tx) => disableSink(tx, 's', 'It was away.', now));
  await addSink(db, { id: 't', shards: 1 }, now);
  await writeEvents(
    db,
    'o',
    times(3, () => ({ entity: 'x' })),
    now,
  );
  await projectAll(db, clock);
});

const waitsForLog = async (): Promise<{ writes: boolean }[]> => {
  const { rows } = await sql<{ writes: boolean }>`
    SELECT backend_xid IS NOT NULL AS writes FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FROM domain_event%'`.execute(
    db,
  );
  return rows;
};

const received = {
  from: new Date(now.getTime() - minutes(60)),
  until: new Date(now.getTime() + minutes(60)),
};

test.each([
  ['a replay', () => replay(db, { sinkId: 't', ...received }, now), 0],
  ['an endpoint that is resumed', async () => (await resumeSink(db, 's', now)).missed, 3],
])('%s holds up nobody while it searches the log', async (_what, begin, made) => {
  let running: Promise<number> | undefined;
  await db.transaction().execute(async (tx) => {
    await sql`LOCK TABLE domain_event IN ACCESS EXCLUSIVE MODE`.execute(tx);
    running = begin();
    await vi.waitFor(async () => expect(await waitsForLog()).toEqual([{ writes: false }]), {
      timeout: 10_000,
      interval: 20,
    });
  });
  expect(await running).toBe(made);
});

test('a long line behind one that is given up is freed in many small transactions', async () => {
  const [first] = await deliveriesTo(db, 't');
  // Behind it, of the same lane; without events, which are quicker to make.
  await sql`
    INSERT INTO event_delivery (sink_id, organization_id, event_id, event_name, received_at, retention_class, lane, shard, next_at, created_at)
    SELECT 't', 'o', gen_random_uuid(), 'later', now(), 'business', lane, shard, ${now}::timestamptz + interval '1 hour', now()
    FROM event_delivery, generate_series(1, 7000) WHERE sink_id = 't' AND event_id = ${first?.event_id}`.execute(
    db,
  );
  expect(await giveUp(db, { sinkId: 't', organizationId: 'o', eventId: first?.event_id ?? '' }, now)).toBe(
    true,
  );
  const { rows } = await sql<{ transactions: number; late: number }>`
    SELECT count(DISTINCT xmin::text)::int AS transactions, count(*) FILTER (WHERE next_at > ${now})::int AS late
    FROM event_delivery WHERE sink_id = 't' AND event_name = 'later'`.execute(db);
  expect(rows).toEqual([{ transactions: 2, late: 0 }]);
});
