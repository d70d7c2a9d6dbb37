import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { dueDeliveries } from '../../../src/domain/deliveries/due-deliveries.ts';
import type { Outcome } from '../../../src/domain/deliveries/outcome.ts';
import { parkAhead } from '../../../src/domain/deliveries/park-followers.ts';
import { wakeAll } from '../../../src/domain/deliveries/wake-waiting.ts';
import { addSink, projectAll, writeEvents } from '../../features/delivery/delivery-scene.ts';
import { createTestClock, openTestDatabase } from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const clock = createTestClock(new Date().toISOString());
const lease = { sinkId: 'a', shard: 0, epoch: 0, isProbe: false };
const long = 11_000;

/** Of x's line behind its head, and of all others. */
const countDue = async () => {
  const { rows } = await sql<{ line: number; others: number }>`
    SELECT count(*) FILTER (WHERE e.entity_id = 'x')::int AS line, count(*) FILTER (WHERE e.entity_id <> 'x')::int AS others
    FROM event_delivery d JOIN domain_event e ON e.id = d.event_id WHERE d.next_at <= ${clock.now()}`.execute(
    db,
  );
  return rows[0];
};

/** What the shard's first delivery comes to where it is tried again in a minute. */
const headThatWaits = async (): Promise<Outcome> => {
  const [delivery] = await dueDeliveries(db, lease, 1, clock.now());
  if (!delivery) throw new Error('Nothing is due.');
  const nextAt = new Date(clock.now().getTime() + 60_000);
  return { delivery, state: 'pending', nextAt, failure: null, reason: null, attempt: null };
};

test('a long line is parked behind its head before that is recorded, and woken again; no other line is', async () => {
  await addSink(db, { id: 'a', shards: 1 }, clock.now());
  const line = Array.from({ length: long + 1 }, () => ({ name: 'moved', entity: 'x' }));
  await writeEvents(db, 'o', [...line, { name: 'moved', entity: 'y' }], clock.now());
  await projectAll(db, clock);
  expect(await countDue()).toEqual({ line: long + 1, others: 1 });
  const waits = await headThatWaits();
  await parkAhead(db, lease, [waits]);
  // The head itself is for the transaction that records it.
  expect(await countDue()).toEqual({ line: 1, others: 1 });
  await wakeAll(db, 'a', clock.now());
  expect(await countDue()).toEqual({ line: long + 1, others: 1 });
});

test('whoever has lost the lease parks nothing', async () => {
  const waits = await headThatWaits();
  await parkAhead(db, { ...lease, epoch: 7 }, [waits]);
  expect(await countDue()).toEqual({ line: long + 1, others: 1 });
});
