import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Verdict } from '../../../src/core/delivery/outcomes.ts';
import { maxAttempts, retryWaits } from '../../../src/core/delivery/plan-retry.ts';
import { giveUp } from '../../../src/domain/deliveries/give-up.ts';
import { sinkFigures } from '../../../src/domain/deliveries/read-deliveries.ts';
import { replay, retryDead } from '../../../src/domain/deliveries/redrive.ts';
import { eraseDeliveriesOf } from '../../../src/domain/deliveries/skip-deliveries.ts';
import type { Dispatcher } from '../../../src/features/delivery/dispatcher.ts';
import type { Sink } from '../../../src/features/delivery/sinks/sink.ts';
import { createTestClock, openTestDatabase, type TestClock, times } from '../../support/factories.ts';
import { addSink, deliveriesTo, dispatcherOf, scriptedSink, writeEvents } from './delivery-scene.ts';

const database = await openTestDatabase();
const { db } = database;
afterAll(database.close);

const away: Verdict = { type: 'unavailable', error: '503', status: 503 };
const poison: Verdict = { type: 'refused', error: 'I do not want it', status: 400, final: true };

/** Other tests have the machine, too. */
const patience = { timeout: 20_000 };

let clock: TestClock;
const open: { close(): Promise<void> }[] = [];
const dispatch = async (sinks: Record<string, Sink>): Promise<Dispatcher> => {
  const dispatcher = await dispatcherOf(database, sinks, clock);
  open.push(dispatcher);
  return dispatcher;
};

beforeEach(() => {
  // The log has its own time; a sink must not be younger than its events.
  clock = createTestClock(new Date().toISOString());
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await sql`TRUNCATE event_delivery, delivery_shard, webhook_secret, event_sink, domain_event, domain_event_key CASCADE`.execute(
    db,
  );
});

const isProcessed = async (id: string) => {
  const { rows } = await sql<{ is_processed: boolean; delivery_attempts: number; processed: boolean }>`
    SELECT is_processed, delivery_attempts, processed_at IS NOT NULL AS processed FROM domain_event WHERE id = ${id}`.execute(
    db,
  );
  return rows[0];
};

describe('an event', () => {
  test('goes to every sink that wants it, once, and is processed when the last one has it', async () => {
    await addSink(db, { id: 'a' }, clock.now());
    await addSink(db, { id: 'b' }, clock.now());
    const [a, b] = [scriptedSink(), scriptedSink({ say: (_event, call) => (call === 0 ? away : undefined) })];
    const dispatcher = await dispatch({ a, b });
    const [id = ''] = await writeEvents(db, 'o', [{ entity: 'x', properties: { n: 1 } }], clock.now());
    await dispatcher.drain();
    expect(a.calls.map((call) => call.map((event) => event.id))).toEqual([[id]]);
    expect(await isProcessed(id)).toMatchObject({ is_processed: false, processed: false });
    clock.advance(retryWaits[0] ?? 0);
    await dispatcher.drain();
    expect(a.calls).toHaveLength(1);
    expect(b.calls).toHaveLength(2);
    expect(await isProcessed(id)).toEqual({ is_processed: true, delivery_attempts: 3, processed: true });
  });

  test('that no sink wants is processed at once', async () => {
    const dispatcher = await dispatch({});
    const [id = ''] = await writeEvents(db, 'o', [{}], clock.now());
    await dispatcher.drain();
    expect(await isProcessed(id)).toMatchObject({ is_processed: true });
  });

  test('goes to sinks of its own organization and of all, by the names they ask for', async () => {
    await addSink(db, { id: 'all' }, clock.now());
    await sql`INSERT INTO organization (id, name, link_secret) VALUES ('mine', '', ''), ('theirs', '', '') ON CONFLICT DO NOTHING`.execute(
      db,
    );
    await addSink(db, { id: 'mine', organizationId: 'mine', eventNames: ['wanted'] }, clock.now());
    const [all, mine] = [scriptedSink(), scriptedSink()];
    const dispatcher = await dispatch({ all, mine });
    await writeEvents(db, 'mine', [{ name: 'wanted' }, { name: 'other' }], clock.now());
    await writeEvents(db, 'theirs', [{ name: 'wanted' }], clock.now());
    await dispatcher.drain();
    expect(all.calls).toHaveLength(3);
    expect(mine.calls.map(([event]) => [event?.organizationId, event?.event])).toEqual([['mine', 'wanted']]);
  });

  test('that happened before the sink was made goes there by replay only', async () => {
    const before = new Date(clock.now().getTime() - 60_000);
    const [id = ''] = await writeEvents(db, 'o', [{ entity: 'x' }], clock.now());
    clock.advance(10_000);
    await addSink(db, { id: 'late' }, clock.now());
    const late = scriptedSink();
    const dispatcher = await dispatch({ late });
    await dispatcher.drain();
    expect(late.calls).toEqual([]);
    expect(await replay(db, { sinkId: 'late', from: before, until: clock.now() }, clock.now())).toBe(1);
    expect(await isProcessed(id)).toMatchObject({ is_processed: false });
    await dispatcher.drain();
    await replay(db, { sinkId: 'late', from: before, until: clock.now() }, clock.now());
    await dispatcher.drain();
    expect(late.calls.map(([event]) => event?.id)).toEqual([id, id]);
    expect(await isProcessed(id)).toMatchObject({ is_processed: true });
  });
});

describe('order', () => {
  test('is kept per entity, also behind one that waits for its next attempt', async () => {
    await addSink(db, { id: 's' }, clock.now());
    let fail = true;
    const s = scriptedSink({
      say: (event) =>
        fail && event.entityId === 'x' ? { type: 'refused', error: 'not now', final: false } : undefined,
    });
    const dispatcher = await dispatch({ s });
    const [x1, y1, x2] = await writeEvents(
      db,
      'o',
      [{ entity: 'x' }, { entity: 'y' }, { entity: 'x' }],
      clock.now(),
    );
    await dispatcher.drain();
    const [x3] = await writeEvents(db, 'o', [{ entity: 'x' }], clock.now());
    await dispatcher.drain();
    expect(s.calls.map(([event]) => event?.id).toSorted()).toEqual([x1, y1].toSorted());
    fail = false;
    clock.advance(retryWaits[0] ?? 0);
    await dispatcher.drain();
    const ofX = s.calls.map(([event]) => event).filter((event) => event?.entityId === 'x');
    expect(ofX.map((event) => event?.id)).toEqual([x1, x1, x2, x3]);
  });

  test('in a batch: what was postponed or failed comes again, in the order of the log', async () => {
    await addSink(db, { id: 's', shards: 1 }, clock.now());
    let broken = true;
    const s = scriptedSink({
      batchSize: 4,
      say: (event) => {
        const n = Number(event.properties.n);
        if (!broken || n < 2) return undefined;
        return n === 2 ? away : { type: 'postponed' };
      },
    });
    const dispatcher = await dispatch({ s });
    await writeEvents(
      db,
      'o',
      times(6, (n) => ({ entity: 'x', properties: { n } })),
      clock.now(),
    );
    await dispatcher.drain();
    broken = false;
    clock.advance(retryWaits[0] ?? 0);
    await dispatcher.drain();
    expect(s.calls.map((call) => call.map((event) => event.properties.n))).toEqual([
      [0, 1, 2, 3],
      [2, 3, 4, 5],
    ]);
    expect((await deliveriesTo(db, 's')).map((row) => row.attempts)).toEqual([1, 1, 2, 1, 1, 1]);
  });
});

describe('a failure', () => {
  test('that is final makes its event dead, alone; what follows is delivered', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const s = scriptedSink({ say: (event) => (event.properties.n === 1 ? poison : undefined) });
    const dispatcher = await dispatch({ s });
    await writeEvents(
      db,
      'o',
      times(3, (n) => ({ entity: 'x', properties: { n } })),
      clock.now(),
    );
    await dispatcher.drain();
    expect((await deliveriesTo(db, 's')).map((row) => [row.state, row.reason])).toEqual([
      ['delivered', null],
      ['dead', 'I do not want it'],
      ['delivered', null],
    ]);
    s.calls.length = 0;
    expect(await retryDead(db, { sinkId: 's' }, clock.now())).toBe(1);
    await dispatcher.drain();
    expect(s.calls).toHaveLength(1);
  });

  test('that goes on is tried ten times over about three days, then dead; what waited behind it is delivered', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const s = scriptedSink({
      say: (event) =>
        event.properties.n === 0 ? { type: 'refused', error: 'never', final: false } : undefined,
    });
    const dispatcher = await dispatch({ s });
    await writeEvents(
      db,
      'o',
      times(2, (n) => ({ entity: 'x', properties: { n } })),
      clock.now(),
    );
    const began = clock.now().getTime();
    await dispatcher.drain();
    for (const wait of retryWaits) {
      clock.advance(wait - 1);
      await dispatcher.drain();
      clock.advance(1);
      await dispatcher.drain();
    }
    expect(s.calls.map(([event]) => event?.properties.n)).toEqual([...times(maxAttempts, () => 0), 1]);
    expect((await deliveriesTo(db, 's')).map((row) => row.state)).toEqual(['dead', 'delivered']);
    expect((clock.now().getTime() - began) / 86_400_000).toBeGreaterThan(3);
  });

  test('can be given up by hand: what waited behind it goes out, and nothing else of its sink', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const s = scriptedSink({
      say: (event) =>
        event.properties.n === 0 ? { type: 'refused', error: 'never', final: false } : undefined,
    });
    const dispatcher = await dispatch({ s });
    const [first = '', second = ''] = await writeEvents(
      db,
      'o',
      times(2, (n) => ({ entity: 'x', properties: { n } })),
      clock.now(),
    );
    await dispatcher.drain();
    const delivery = { sinkId: 's', organizationId: 'o', eventId: first };
    expect(await giveUp(db, { ...delivery, organizationId: 'other' }, clock.now())).toBe(false);
    expect(await giveUp(db, delivery, clock.now())).toBe(true);
    expect(await giveUp(db, delivery, clock.now())).toBe(false);
    expect(await isProcessed(first)).toMatchObject({ is_processed: true });
    await dispatcher.drain();
    expect(s.calls.map(([event]) => event?.id)).toEqual([first, second]);
    expect((await deliveriesTo(db, 's')).map((row) => [row.state, row.reason])).toEqual([
      ['dead', 'Given up by an operator; before that: never'],
      ['delivered', null],
    ]);
  });

  test('of the sink opens its breaker: the others are not tried, and go out as soon as it is back', async () => {
    await addSink(db, { id: 's' }, clock.now());
    let down = true;
    const s = scriptedSink({ concurrency: 1, say: () => (down ? away : undefined) });
    const dispatcher = await dispatch({ s });
    await writeEvents(
      db,
      'o',
      times(200, (n) => ({ entity: `x${n}` })),
      clock.now(),
    );
    await dispatcher.drain();
    const tried = s.calls.length;
    await dispatcher.drain();
    expect(s.calls.length).toBe(tried);
    clock.advance(60_000);
    await dispatcher.drain();
    // Half open: one is tried.
    expect(s.calls.length).toBe(tried + 1);
    down = false;
    clock.advance(60_000);
    await dispatcher.drain();
    const states = (await deliveriesTo(db, 's')).map((row) => row.state);
    expect(new Set(states)).toEqual(new Set(['delivered']));
  });

  test('that asks for patience is given it', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const s = scriptedSink({
      say: (_event, call) => (call === 0 ? { ...away, retryAfterMs: 90_000 } : undefined),
    });
    const dispatcher = await dispatch({ s });
    await writeEvents(db, 'o', [{ entity: 'x' }], clock.now());
    await dispatcher.drain();
    clock.advance(89_000);
    await writeEvents(db, 'o', [{ entity: 'y' }], clock.now());
    await dispatcher.drain();
    expect(s.calls).toHaveLength(1);
    clock.advance(1_000);
    await dispatcher.drain();
    expect(s.calls).toHaveLength(3);
  });

  test('of one sink does not hold up another', async () => {
    await addSink(db, { id: 'hung' }, clock.now());
    await addSink(db, { id: 'well' }, clock.now());
    let release = () => {};
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const hung = scriptedSink({ say: () => hanging.then(() => undefined) });
    const well = scriptedSink();
    const dispatcher = await dispatch({ hung, well });
    dispatcher.start();
    await writeEvents(
      db,
      'o',
      times(50, (n) => ({ entity: `x${n}` })),
      clock.now(),
    );
    await expect.poll(() => well.calls.length, patience).toBe(50);
    release();
    await expect
      .poll(async () => (await sinkFigures(db, clock.now())).map((one) => one.pending))
      .toEqual([0, 0]);
  });

  test('to end does not hold up the others when its settings change', async () => {
    await addSink(db, { id: 'slow' }, clock.now());
    await addSink(db, { id: 'well' }, clock.now());
    let release = () => {};
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = scriptedSink({ say: () => hanging.then(() => undefined) });
    const well = scriptedSink();
    const dispatcher = await dispatch({ slow, well });
    dispatcher.start();
    await writeEvents(
      db,
      'o',
      times(5, (n) => ({ entity: `x${n}` })),
      clock.now(),
    );
    await expect.poll(() => [slow.calls.length, well.calls.length], patience).toEqual([5, 5]);
    await db.updateTable('event_sink').set({ updated_at: clock.now() }).where('id', '=', 'slow').execute();
    await writeEvents(
      db,
      'o',
      times(5, (n) => ({ entity: `y${n}` })),
      clock.now(),
    );
    await expect.poll(() => well.calls.length, patience).toBe(10);
    release();
    await expect.poll(() => slow.calls.length, patience).toBe(10);
  });

  test('to be wanted: a sink that was removed in mid-round gets nothing more', async () => {
    await addSink(db, { id: 's', shards: 1 }, clock.now());
    const s = scriptedSink({
      concurrency: 1,
      say: async () => {
        await db.updateTable('event_sink').set({ status: 'removed' }).where('id', '=', 's').execute();
        // Longer than what came in is collected before it is recorded.
        await delay(60);
        return undefined;
      },
    });
    const dispatcher = await dispatch({ s });
    await writeEvents(
      db,
      'o',
      times(40, (n) => ({ entity: `x${n}` })),
      clock.now(),
    );
    await dispatcher.drain();
    expect(s.calls.length).toBeGreaterThan(0);
    expect(s.calls.length).toBeLessThan(40);
    expect((await deliveriesTo(db, 's')).filter((row) => row.state === 'delivered')).toHaveLength(
      s.calls.length,
    );
  });

  test('to open one sink holds up no other', async () => {
    await addSink(db, { id: 'broken' }, clock.now());
    await addSink(db, { id: 'well' }, clock.now());
    const well = scriptedSink();
    const sinks = Object.defineProperty({ well }, 'broken', {
      get: () => {
        throw new Error('Its secret cannot be decrypted.');
      },
    }) as Record<string, Sink>;
    const dispatcher = await dispatch(sinks);
    await writeEvents(db, 'o', [{ entity: 'x' }], clock.now());
    await dispatcher.drain();
    expect(well.calls).toHaveLength(1);
    expect((await deliveriesTo(db, 'broken')).map((row) => row.state)).toEqual(['pending']);
  });
});

describe('an event that cannot be projected', () => {
  test('goes to its sinks as it is, and holds up nobody', async () => {
    await sql`CREATE FUNCTION refuse_poison() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN IF NEW.user_id = 'poison' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$`.execute(db);
    await sql`CREATE TRIGGER refuse_poison BEFORE INSERT ON event_use FOR EACH ROW EXECUTE FUNCTION refuse_poison()`.execute(
      db,
    );
    await addSink(db, { id: 's' }, clock.now());
    const s = scriptedSink();
    const dispatcher = await dispatch({ s });
    const users = ['ada', 'poison', 'bob'];
    const ids = await writeEvents(
      db,
      'o',
      users.map((userId) => ({ name: 'login_success', userId })),
      clock.now(),
    );
    await dispatcher.drain();
    await sql`DROP TRIGGER refuse_poison ON event_use`.execute(db);
    const seen = new Map(s.calls.map(([event]) => [event?.id, event?.properties.is_first_login]));
    expect(ids.map((id) => seen.get(id))).toEqual([true, undefined, true]);
    expect(seen.size).toBe(3);
  });
});

describe('what is kept of the deliveries of a person who is forgotten', () => {
  test('repeats nothing that a receiver has answered, and what waits is not delivered', async () => {
    await addSink(db, { id: 's' }, clock.now());
    const s = scriptedSink({ say: () => ({ type: 'delivered', response: 'hello ada' }) });
    const waiting = scriptedSink({ say: () => away });
    await addSink(db, { id: 'waiting' }, clock.now());
    const dispatcher = await dispatch({ s, waiting });
    const [id = ''] = await writeEvents(db, 'o', [{ userId: 'ada' }], clock.now());
    await dispatcher.drain();
    const logs = () =>
      sql<{
        state: string;
        log: string;
      }>`SELECT state, attempt_log::text AS log FROM event_delivery ORDER BY sink_id`.execute(db);
    expect((await logs()).rows.map((row) => row.log).join()).toContain('hello ada');
    await db.transaction().execute((tx) => eraseDeliveriesOf(tx, 'o', [id]));
    expect((await logs()).rows).toEqual([
      { state: 'delivered', log: '[]' },
      { state: 'skipped', log: '[]' },
    ]);
    expect(await isProcessed(id)).toMatchObject({ is_processed: true });
  });
});

describe('several dispatchers', () => {
  test('share the work, and each event is delivered once', async () => {
    await addSink(db, { id: 's', shards: 16 }, clock.now());
    const sinks = times(4, () => scriptedSink());
    const dispatchers = await Promise.all(sinks.map((s) => dispatch({ s })));
    for (const one of dispatchers) one.start();
    const ids: string[] = [];
    for (const round of times(10, (n) => n)) {
      ids.push(
        ...(await writeEvents(
          db,
          'o',
          times(50, (n) => ({ entity: `${round}-${n}` })),
          clock.now(),
        )),
      );
    }
    const delivered = () => sinks.flatMap((sink) => sink.calls.flat().map((event) => event.id));
    await expect.poll(() => delivered().length, patience).toBeGreaterThanOrEqual(500);
    expect(delivered().toSorted()).toEqual(ids.toSorted());
  });

  test('one whose lease ran out cannot record anything: another has delivered meanwhile', async () => {
    await addSink(db, { id: 's', shards: 1 }, clock.now());
    let release = () => {};
    const hanging = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = scriptedSink({ say: () => hanging.then((): Verdict => poison) });
    const quick = scriptedSink();
    const first = await dispatch({ s: slow });
    const second = await dispatch({ s: quick });
    await writeEvents(db, 'o', [{ entity: 'x' }], clock.now());
    const draining = first.drain();
    await expect.poll(() => slow.calls.length, patience).toBe(1);
    await second.drain();
    expect(quick.calls).toHaveLength(0);
    clock.advance(31_000);
    await second.drain();
    expect(quick.calls).toHaveLength(1);
    release();
    await draining;
    expect((await deliveriesTo(db, 's')).map((row) => row.state)).toEqual(['delivered']);
  });
});
