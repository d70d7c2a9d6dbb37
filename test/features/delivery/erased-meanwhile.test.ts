import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { eraseDeliveriesOf } from '../../../src/domain/deliveries/skip-deliveries.ts';
import type { Sink } from '../../../src/features/delivery/sinks/sink.ts';
import { openTestDatabase } from '../../support/factories.ts';
import { addSink, deliveriesTo, dispatcherOf, writeEvents } from './delivery-scene.ts';

const database = await openTestDatabase();
const { db } = database;
afterAll(database.close);

test('what is erased while a round waits for a slow endpoint is not sent any more', async () => {
  const clock = { now: () => new Date() };
  await addSink(db, { id: 'slow', kind: 'webhook' }, clock.now());
  const sent: string[] = [];
  let begin = () => {};
  let release = () => {};
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow: Sink = {
    batchSize: 1,
    concurrency: 4,
    deliver: async (events) => {
      sent.push(...events.map(({ id }) => id));
      if (sent.length === 2) begin();
      await released;
      return events.map(() => ({ type: 'delivered' }) as const);
    },
    close: async () => {},
  };
  const dispatcher = await dispatcherOf(database, { slow }, clock);
  // Those of each person go out one after the other.
  const of = (userId: string) =>
    writeEvents(
      db,
      'o',
      Array.from({ length: 5 }, () => ({ userId })),
      clock.now(),
    );
  const [ids, others] = [await of('ada'), await of('bob')];
  const draining = dispatcher.drain();
  await begun;
  const claimedBefore = performance.now();
  await db.transaction().execute((tx) => eraseDeliveriesOf(tx, 'o', ids));
  await sql`DELETE FROM domain_event WHERE user_id = 'ada'`.execute(db);
  await expect.poll(() => performance.now() - claimedBefore).toBeGreaterThan(1_500);
  release();
  await draining;
  expect(sent.filter((id) => ids.includes(id))).toEqual(ids.slice(0, 1));
  expect(sent.filter((id) => others.includes(id))).toEqual(others);
  const states = (await deliveriesTo(db, 'slow')).map(({ state }) => state);
  expect(states.sort()).toEqual([...others.map(() => 'delivered'), ...ids.map(() => 'skipped')]);
});
