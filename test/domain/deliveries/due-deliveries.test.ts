import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { dueDeliveries, stillPending } from '../../../src/domain/deliveries/due-deliveries.ts';
import { addSink, projectAll, writeEvents } from '../../features/delivery/delivery-scene.ts';
import { createTestClock, openTestDatabase } from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const clock = createTestClock(new Date().toISOString());
const lease = { sinkId: 'a', shard: 0, epoch: 0, isProbe: false };

test('what the person allows is asked now', async () => {
  await addSink(db, { id: 'a', shards: 1 }, clock.now());
  await writeEvents(db, 'o', [{ name: 'logged', userId: 'jane' }], clock.now());
  await projectAll(db, clock);
  const due = async () => (await dueDeliveries(db, lease, 10, clock.now())).map((one) => one.event?.consent);
  expect(await due()).toEqual([{ adsAllowed: null, analyticsAllowed: null }]);
  await sql`INSERT INTO person_consent (organization_id, person_kind, person_id, ads_allowed, ads_stated_at)
    VALUES ('o', 'user', 'jane', false, now())`.execute(db);
  expect(await due()).toEqual([{ adsAllowed: false, analyticsAllowed: null }]);
});

test('of a visitor who turned out to be a user, the newer word of the two counts', async () => {
  await writeEvents(db, 'o', [{ name: 'seen', distinctId: 'v' }], clock.now());
  await projectAll(db, clock);
  await sql`INSERT INTO identity_link (organization_id, distinct_id, user_id, linked_at) VALUES ('o', 'v', 'jane', now())`.execute(
    db,
  );
  await sql`INSERT INTO person_consent (organization_id, person_kind, person_id, ads_allowed, ads_stated_at, analytics_allowed,
    analytics_stated_at) VALUES ('o', 'visitor', 'v', true, now() - interval '1 day', true, now())`.execute(
    db,
  );
  const due = await dueDeliveries(db, lease, 10, clock.now());
  expect(due.find((one) => one.eventName === 'seen')?.event?.consent).toEqual({
    adsAllowed: false,
    analyticsAllowed: true,
  });
});

test('an event that is not in the log any more is due without it', async () => {
  await sql`DELETE FROM domain_event WHERE event_name = 'seen'`.execute(db);
  const due = await dueDeliveries(db, lease, 10, clock.now());
  expect(due.find((one) => one.eventName === 'seen')).toMatchObject({ event: null });
});

test.each(['disabled', 'removed'])(
  'a sink that was %s since gets none of what was claimed',
  async (status) => {
    const due = await dueDeliveries(db, lease, 10, clock.now());
    expect(await stillPending(db, 'a', due)).toEqual(due);
    await sql`UPDATE event_sink SET status = ${status}`.execute(db);
    expect(await stillPending(db, 'a', due)).toEqual([]);
    await sql`UPDATE event_sink SET status = 'enabled'`.execute(db);
  },
);
