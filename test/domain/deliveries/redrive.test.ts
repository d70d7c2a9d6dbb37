import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Verdict } from '../../../src/core/delivery/outcomes.ts';
import { listDeliveries, sinkFigures } from '../../../src/domain/deliveries/read-deliveries.ts';
import { countReplay, replay, retryDead } from '../../../src/domain/deliveries/redrive.ts';
import {
  addSink,
  deliveriesTo,
  dispatcherOf,
  type ScriptedSink,
  scriptedSink,
  writeEvents,
} from '../../features/delivery/delivery-scene.ts';
import { createTestClock, openTestDatabase, type TestClock, times } from '../../support/factories.ts';

const database = await openTestDatabase();
const { db } = database;
afterAll(database.close);

let clock: TestClock;
let dispatcher: Awaited<ReturnType<typeof dispatcherOf>>;
let refuses: boolean;
let sink: ScriptedSink;
const poison: Verdict = { type: 'refused', error: 'I do not want it', status: 400, final: true };

beforeEach(async () => {
  // The log has its own time; a sink must not be younger than its events.
  clock = createTestClock(new Date().toISOString());
  refuses = true;
  sink = scriptedSink({ say: () => (refuses ? poison : undefined) });
  dispatcher = await dispatcherOf(database, { s: sink, t: sink }, clock);
});
afterEach(async () => {
  await dispatcher.close();
  await sql`TRUNCATE event_delivery, delivery_shard, webhook_secret, event_sink, domain_event, domain_event_key CASCADE`.execute(
    db,
  );
});

const makeDead = async (count: number, given: { entity?: string; organization?: string } = {}) => {
  const ids = await writeEvents(
    db,
    given.organization ?? 'o',
    times(count, (n) => ({ entity: given.entity ?? `x${n}`, properties: { n } })),
    clock.now(),
  );
  await dispatcher.drain();
  return ids;
};
const openDeliveries = async (): Promise<number[]> => {
  const { rows } = await sql<{ open: number }>`
    SELECT open_deliveries AS open FROM domain_event ORDER BY position`.execute(db);
  return rows.map((row) => row.open);
};

describe('a retry', () => {
  test('makes what is dead pending, so that it goes out and its event is open until then', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const ids = await makeDead(3);
    expect(await openDeliveries()).toEqual([0, 0, 0]);
    refuses = false;
    expect(await retryDead(db, {}, clock.now())).toBe(3);
    expect(await openDeliveries()).toEqual([1, 1, 1]);
    expect(await retryDead(db, {}, clock.now())).toBe(0);
    sink.calls.length = 0;
    await dispatcher.drain();
    expect(
      sink.calls
        .flat()
        .map((event) => event.id)
        .toSorted(),
    ).toEqual(ids.toSorted());
    expect(await openDeliveries()).toEqual([0, 0, 0]);
  });

  test.each([
    ['sink', { sinkId: 's' }, 2],
    ['organization', { organizationId: 'p' }, 2],
    ['sink and organization', { sinkId: 't', organizationId: 'p' }, 1],
    ['owner of the sink', { ownerId: 'p' }, 0],
  ])('of one %s leaves the others dead', async (_what, filter, expected) => {
    await addSink(db, { id: 's' }, clock.now());
    await addSink(db, { id: 't' }, clock.now());
    await makeDead(1);
    await makeDead(1, { organization: 'p' });
    expect(await retryDead(db, filter, clock.now())).toBe(expected);
    const left = await listDeliveries(db, { state: 'dead', limit: 10 });
    expect(left).toHaveLength(4 - expected);
  });

  test('stops at its limit, and the next one goes on', async () => {
    await addSink(db, { id: 's' }, clock.now());
    await makeDead(5);
    expect(await retryDead(db, {}, clock.now(), 3)).toBe(3);
    expect(await retryDead(db, {}, clock.now(), 3)).toBe(2);
  });

  test('leaves what a removed sink was to get: nobody would ever send it', async () => {
    await addSink(db, { id: 's' }, clock.now());
    await makeDead(1);
    await sql`UPDATE event_sink SET status = 'removed'`.execute(db);
    expect(await retryDead(db, {}, clock.now())).toBe(0);
    expect(await listDeliveries(db, { state: 'dead', limit: 10 })).toEqual([]);
  });

  test('keeps the order of an entity: behind what waits ahead of it, before what is due behind it', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const [first = '', second = '', third = ''] = await makeDead(3, { entity: 'x' });
    // The first waits for its next attempt, the third has been due for a minute.
    const place = (id: string, nextAt: Date) =>
      sql`UPDATE event_delivery SET state = 'pending', next_at = ${nextAt} WHERE event_id = ${id}`.execute(
        db,
      );
    const [before, later] = [-60_000, 60_000].map((ms) => new Date(clock.now().getTime() + ms));
    await place(first, later ?? clock.now());
    await retryDead(db, { eventId: second }, clock.now());
    expect((await deliveriesTo(db, 's'))[1]?.next_at).toEqual(later);

    await sql`UPDATE event_delivery SET state = 'dead' WHERE event_id IN (${first}, ${second})`.execute(db);
    await place(third, before ?? clock.now());
    await retryDead(db, { eventId: second }, clock.now());
    expect((await deliveriesTo(db, 's'))[1]?.next_at).toEqual(before);
  });
});

describe('a replay', () => {
  const range = () => ({
    sinkId: 's',
    from: new Date(clock.now().getTime() - 60_000),
    until: new Date(clock.now().getTime() + 60_000),
  });

  test('is told beforehand how many events the sink would get', async () => {
    refuses = false;
    await addSink(db, { id: 's', eventNames: ['wanted'] }, clock.now());
    await writeEvents(db, 'o', [{ name: 'wanted' }, { name: 'other' }], clock.now());
    await writeEvents(db, 'p', [{ name: 'wanted' }], clock.now());
    await dispatcher.drain();
    expect(await countReplay(db, range())).toBe(2);
    expect(await countReplay(db, { ...range(), organizationId: 'p' })).toBe(1);
    expect(await replay(db, { ...range(), organizationId: 'p' }, clock.now())).toBe(1);
    expect(await countReplay(db, { ...range(), until: range().from, from: new Date(0) })).toBe(0);
  });

  test('leaves out what the projector has not met: it is delivered once, by itself', async () => {
    refuses = false;
    await addSink(db, { id: 's' }, clock.now());
    const [id] = await writeEvents(db, 'o', [{}], clock.now());
    expect(await countReplay(db, range())).toBe(0);
    expect(await replay(db, range(), clock.now())).toBe(0);
    await dispatcher.drain();
    expect(sink.calls.flat().map((event) => event.id)).toEqual([id]);
    expect(await openDeliveries()).toEqual([0]);
  });

  test('asked for twice sends once what the first has not sent yet', async () => {
    refuses = false;
    await addSink(db, { id: 's' }, clock.now());
    await makeDead(2);
    expect(await replay(db, range(), clock.now())).toBe(2);
    expect(await replay(db, range(), clock.now())).toBe(0);
  });

  test.each(['disabled', 'removed'])('to a sink that is %s is refused', async (status) => {
    await addSink(db, { id: 's' }, clock.now());
    await sql`UPDATE event_sink SET status = ${status}`.execute(db);
    const refusal = { code: 'invalid_request', message: expect.stringContaining(status) };
    await expect(replay(db, range(), clock.now())).rejects.toMatchObject(refusal);
    await expect(countReplay(db, range())).rejects.toMatchObject(refusal);
  });

  test('and retries at the same time, while deliveries end, wait for nobody in a circle', async () => {
    await addSink(db, { id: 's', shards: 8 }, clock.now());
    await addSink(db, { id: 't', shards: 8 }, clock.now());
    await makeDead(300);
    dispatcher.start();
    await Promise.all([
      ...times(4, () => replay(db, range(), clock.now())),
      ...times(4, () => replay(db, { ...range(), sinkId: 't' }, clock.now())),
      ...times(8, () => retryDead(db, {}, clock.now())),
    ]);
    await expect
      .poll(async () => (await sinkFigures(db, clock.now())).map((one) => [one.pending, one.deadNow]), {
        timeout: 20_000,
      })
      .toEqual([
        [0, 300],
        [0, 300],
      ]);
    expect(new Set(await openDeliveries())).toEqual(new Set([0]));
  }, 40_000);
});
