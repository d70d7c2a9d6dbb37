import { sql } from 'kysely';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Verdict } from '../../../src/core/delivery/outcomes.ts';
import { poisonAttempts } from '../../../src/core/delivery/poison.ts';
import { installationLog } from '../../../src/domain/deliveries/endpoint-events.ts';
import { resumeSink } from '../../../src/domain/deliveries/missed-events.ts';
import { sinkFigures } from '../../../src/domain/deliveries/read-deliveries.ts';
import { replay } from '../../../src/domain/deliveries/redrive.ts';
import { recordFailure } from '../../../src/domain/deliveries/sink-health.ts';
import { disableSink, enableSink, getSink } from '../../../src/domain/deliveries/sinks.ts';
import { markProjected } from '../../../src/domain/events/mark-projected.ts';
import { type PlacedEvent, projectorName, takePage } from '../../../src/domain/events/read-page.ts';
import type { Dispatcher } from '../../../src/features/delivery/dispatcher.ts';
import type { Sink } from '../../../src/features/delivery/sinks/sink.ts';
import { enableEndpoint } from '../../../src/features/delivery/webhooks/enable-endpoint.ts';
import {
  createOrganization,
  createTestClock,
  hours,
  openTestDatabase,
  type TestClock,
  times,
} from '../../support/factories.ts';
import { addSink, deliveriesTo, dispatcherOf, scriptedSink, writeEvents } from './delivery-scene.ts';

const database = await openTestDatabase();
const { db } = database;
afterAll(database.close);

const away: Verdict = { type: 'unavailable', error: 'The endpoint answered 503.', status: 503 };
const notFound: Verdict = { type: 'refused', error: 'The endpoint answered 404.', status: 404, final: false };
const badRequest: Verdict = {
  type: 'refused',
  error: 'The endpoint answered 400.',
  status: 400,
  final: false,
};
const gone: Verdict = { type: 'gone', error: 'The endpoint answered 410 Gone.', status: 410 };
const fiveDays = hours(120);

let clock: TestClock;
let organization: string;
const open: { close(): Promise<void> }[] = [];
const dispatch = async (
  sinks: Record<string, Sink>,
  limitMs: number | null = fiveDays,
): Promise<Dispatcher> => {
  const dispatcher = await dispatcherOf(database, sinks, clock, limitMs);
  open.push(dispatcher);
  return dispatcher;
};

beforeEach(async () => {
  clock = createTestClock(new Date().toISOString());
  organization = await createOrganization(db);
});
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  await sql`TRUNCATE event_delivery, delivery_shard, webhook_secret, event_sink, domain_event, domain_event_key CASCADE`.execute(
    db,
  );
});

const addEndpoint = (id: string, organizationId: string | null = organization, eventNames?: string[]) =>
  addSink(
    db,
    {
      id,
      kind: 'webhook',
      organizationId,
      config: { url: 'https://hooks.example.com/in?token=hidden' },
      eventNames: eventNames ?? null,
    },
    clock.now(),
  );
const write = (...entities: string[]) =>
  writeEvents(
    db,
    organization,
    entities.map((entity) => ({ entity })),
    clock.now(),
  );

interface Told {
  readonly name: string;
  readonly organization_id: string;
  readonly entity_id: string;
  readonly properties: Record<string, unknown>;
}
const told = async (): Promise<Told[]> => {
  const { rows } = await sql<Told>`
    SELECT event_name AS name, organization_id, entity_id, properties FROM domain_event
    WHERE event_name LIKE 'webhook_endpoint_%' ORDER BY position`.execute(db);
  return rows;
};

/** Every ten hours an event, up to so many hours from now. */
const failFor = async (dispatchers: readonly Dispatcher[], totalHours: number): Promise<void> => {
  for (let passed = 0; passed <= totalHours; passed += 10) {
    if (passed > 0) clock.advance(hours(10));
    await write(`at ${passed}`);
    await Promise.all(dispatchers.map((one) => one.drain()));
  }
};

describe('an endpoint that fails for days', () => {
  test('is warned of after 24, 48 and 72 hours, once each, and disabled after five days; by two dispatchers', async () => {
    await addEndpoint('e');
    const since = clock.now();
    const sinks = { e: scriptedSink({ say: () => away }) };
    const dispatchers = [await dispatch(sinks), await dispatch(sinks)];
    await failFor(dispatchers, 80);
    expect((await told()).map(({ name, properties }) => [name, properties.hoursFailing])).toEqual([
      ['webhook_endpoint_failing', 30],
      ['webhook_endpoint_failing', 50],
      ['webhook_endpoint_failing', 80],
    ]);
    const disablesAt = new Date(since.getTime() + fiveDays);
    expect((await told())[0]).toMatchObject({
      organization_id: organization,
      entity_id: 'e',
      properties: {
        endpointId: 'e',
        urlHost: 'hooks.example.com',
        failingSince: since.toISOString(),
        lastError: 'The endpoint answered 503.',
        disablesAt: disablesAt.toISOString(),
        pendingDeliveries: expect.any(Number),
      },
    });
    expect(JSON.stringify(await told())).not.toContain('hidden');
    expect(await getSink(db, 'e')).toMatchObject({
      status: 'enabled',
      warned_hours: 72,
      disables_at: disablesAt,
    });
    await failFor(dispatchers, 40);
    expect((await told()).slice(3).map(({ name, properties }) => [name, properties.cause])).toEqual([
      ['webhook_endpoint_disabled', 'failing'],
    ]);
    expect(await getSink(db, 'e')).toMatchObject({
      status: 'disabled',
      status_reason: 'It has accepted nothing for 5 days.',
      disabled_at: clock.now(),
    });
  });

  test('is told of once by however many failures at the same moment', async () => {
    await addEndpoint('e');
    const fail = () =>
      recordFailure(
        db,
        'e',
        { error: 'away', retryAfterMs: 0 },
        { now: clock.now(), disableAfterMs: fiveDays },
      );
    await fail();
    clock.advance(hours(24));
    await Promise.all(times(8, fail));
    expect(await told()).toHaveLength(1);
  });

  test('but for one that was accepted in between is not warned of, nor one that was not tried for long', async () => {
    await addEndpoint('e');
    let answer: Verdict | undefined = away;
    const dispatcher = await dispatch({ e: scriptedSink({ say: () => answer }) });
    await failFor([dispatcher], 20);
    answer = undefined;
    clock.advance(hours(1));
    await dispatcher.drain();
    expect(await getSink(db, 'e')).toMatchObject({ failing_since: null, warned_hours: 0, disables_at: null });
    answer = away;
    await failFor([dispatcher], 10);
    clock.advance(hours(24 * 30));
    await write('later');
    await dispatcher.drain();
    expect(await told()).toEqual([]);
    expect(await getSink(db, 'e')).toMatchObject({ status: 'enabled' });
  });

  test('is one that refuses everything, too: nothing is there any more', async () => {
    await addEndpoint('e');
    const dispatcher = await dispatch({ e: scriptedSink({ say: () => notFound }) });
    await failFor([dispatcher], 120);
    expect((await told()).map(({ name }) => name)).toEqual([
      ...times(3, () => 'webhook_endpoint_failing'),
      'webhook_endpoint_disabled',
    ]);
    expect(await getSink(db, 'e')).toMatchObject({ status: 'disabled', consecutive_failures: 0 });
  });

  test('is told to the other endpoints of its organization and to the sinks of the installation', async () => {
    await addEndpoint('e', organization, ['something_happened']);
    await addEndpoint('other', organization, ['webhook_*']);
    await addSink(db, { id: 'posthog', kind: 'posthog' }, clock.now());
    const others = { other: scriptedSink(), posthog: scriptedSink() };
    const dispatcher = await dispatch({ e: scriptedSink({ say: () => away }), ...others });
    await failFor([dispatcher], 120);
    const names = (sink: keyof typeof others) =>
      others[sink].calls
        .flat()
        .map(({ event }) => event)
        .filter((name) => name.startsWith('webhook_'));
    for (const sink of ['other', 'posthog'] as const) {
      expect(names(sink)).toEqual([
        ...times(3, () => 'webhook_endpoint_failing'),
        'webhook_endpoint_disabled',
      ]);
    }
  });

  test('is never disabled where the setting says so, and the operator’s own never at all', async () => {
    await addEndpoint('e');
    await addEndpoint('webhook', null);
    const sinks = { e: scriptedSink({ say: () => away }), webhook: scriptedSink({ say: () => gone }) };
    await failFor([await dispatch(sinks, null)], 140);
    const events = await told();
    expect(events.filter(({ name }) => name !== 'webhook_endpoint_failing')).toEqual([]);
    expect(
      events.filter(({ entity_id }) => entity_id === 'webhook').map((one) => one.organization_id),
    ).toEqual(times(3, () => installationLog));
    for (const id of ['e', 'webhook']) {
      expect(await getSink(db, id)).toMatchObject({ status: 'enabled', disables_at: null, warned_hours: 72 });
    }
  });

  test('that answers 410 is disabled at once, with an event', async () => {
    await addEndpoint('e');
    const dispatcher = await dispatch({ e: scriptedSink({ say: () => gone }) });
    await write('x', 'y');
    await dispatcher.drain();
    expect(await told()).toMatchObject([
      { name: 'webhook_endpoint_disabled', properties: { cause: 'gone', reason: gone.error } },
    ]);
    expect((await deliveriesTo(db, 'e')).map(({ state }) => state)).toEqual(['pending', 'pending']);
  });
});

describe('what waits and what is missed', () => {
  const entitiesOf = (sink: ReturnType<typeof scriptedSink>, from: number) =>
    sink.calls.slice(from).flatMap((call) => call.map(({ properties }) => properties.n));
  const numbered = (...numbers: number[]) =>
    writeEvents(
      db,
      organization,
      numbers.map((n) => ({ entity: 'x', properties: { n } })),
      clock.now(),
    );

  /** 1 and 2 wait, 3 to 5 are missed. */
  const disabled = async () => {
    await addEndpoint('e', organization, ['something_happened']);
    let answer: Verdict | undefined = gone;
    const e = scriptedSink({ say: () => answer });
    const dispatcher = await dispatch({ e });
    await numbered(1, 2);
    await dispatcher.drain();
    await numbered(3, 4, 5);
    await dispatcher.drain();
    answer = undefined;
    return { e, dispatcher, tried: e.calls.length };
  };

  test('comes in its order when it is enabled with replay, before what happens next, each once', async () => {
    const { e, dispatcher, tried } = await disabled();
    // Not read by the dispatcher yet when it is enabled.
    await numbered(6);
    expect(await enableEndpoint(db, 'e', { replay: true }, clock.now())).toEqual({
      waiting: 5,
      missed: null,
      resumed: { missed: 3, revived: 0 },
    });
    await numbered(7);
    await dispatcher.drain();
    expect(entitiesOf(e, tried)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await enableEndpoint(db, 'e', { replay: true }, clock.now())).toMatchObject({
      resumed: { missed: 0, revived: 0 },
    });
  });

  test('without replay goes out as far as it waited, and the time is kept until a replay spans it', async () => {
    const { e, dispatcher, tried } = await disabled();
    const { missed } = await enableEndpoint(db, 'e', { replay: false }, clock.now());
    await dispatcher.drain();
    expect(entitiesOf(e, tried)).toEqual([1, 2]);
    const until = missed?.until ?? new Date(0);
    const range = { sinkId: 'e', from: missed?.from ?? new Date(), until };
    await replay(db, { ...range, until: new Date(until.getTime() - 1) }, clock.now());
    expect((await sinkFigures(db, clock.now()))[0]).toMatchObject({
      missedFrom: range.from,
      missedUntil: until,
    });
    await replay(db, range, clock.now());
    await dispatcher.drain();
    expect((await sinkFigures(db, clock.now()))[0]).toMatchObject({ missedFrom: null, missedUntil: null });
    expect(new Set(entitiesOf(e, tried))).toEqual(new Set([1, 2, 3, 4, 5]));
  });

  test('also what was given up since it failed comes again, and what was given up before does not', async () => {
    await addEndpoint('e', organization, ['something_happened']);
    let answer: Verdict | undefined = { ...badRequest, final: true } as Verdict;
    const e = scriptedSink({ say: () => answer });
    const dispatcher = await dispatch({ e });
    await numbered(1);
    await dispatcher.drain();
    answer = undefined;
    clock.advance(hours(1));
    await numbered(2);
    await dispatcher.drain();
    answer = away;
    clock.advance(hours(1));
    await numbered(3);
    for (let n = 0; n < 12; n += 1) {
      await dispatcher.drain();
      clock.advance(hours(25));
      await writeEvents(db, organization, [{ entity: 'y', properties: { n: 100 + n } }], clock.now());
    }
    expect(await getSink(db, 'e')).toMatchObject({ status: 'disabled' });
    const states = await deliveriesTo(db, 'e');
    expect(states[0]?.state).toBe('dead');
    answer = undefined;
    const tried = e.calls.length;
    await resumeSink(db, 'e', clock.now());
    await dispatcher.drain();
    expect(entitiesOf(e, tried)).toContain(3);
    expect(entitiesOf(e, tried)).not.toContain(1);
    expect(
      (await deliveriesTo(db, 'e')).map(({ state }) => state).filter((state) => state !== 'delivered'),
    ).toEqual(['dead']);
  });

  test('falls nowhere between, while events come in and a dispatcher reads them', async () => {
    const { e, dispatcher } = await disabled();
    dispatcher.start();
    let n = 5;
    const writing = (async () => {
      for (let round = 0; round < 30; round += 1) await numbered(++n, ++n);
    })();
    for (let round = 0; round < 5; round += 1) {
      await resumeSink(db, 'e', clock.now());
      if (round < 4) await db.transaction().execute((tx) => disableSink(tx, 'e', 'again', clock.now()));
    }
    await writing;
    await expect.poll(async () => new Set(entitiesOf(e, 0)).size, { timeout: 20_000 }).toBe(n);
    const accepted = entitiesOf(e, 2).filter((value): value is number => typeof value === 'number');
    // In order, but for what was sent when it was gone.
    const first = [...new Set(accepted)];
    expect(first).toEqual(first.toSorted((a, b) => a - b));
  });

  /** `events` are read by a projector at the very moment when the endpoint is resumed, which waits for it. */
  const resumedWhileProjected = async (events: number) => {
    const { resuming } = await db.transaction().execute(async (tx) => {
      let page: readonly PlacedEvent[] = [];
      await expect
        .poll(async () => {
          page = (await takePage(tx, projectorName, events)) ?? [];
          return page.length;
        })
        .toBe(events);
      const begun = resumeSink(db, 'e', clock.now());
      const waiting = sql<{ n: number }>`SELECT count(*) AS n FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'`;
      await expect.poll(async () => (await waiting.execute(db)).rows[0]?.n, { timeout: 20_000 }).toBe(1);
      // It met the endpoint disabled, and routed nothing.
      await markProjected(tx, page, new Map(), new Map());
      return { resuming: begun };
    });
    return resuming;
  };

  test('includes what a projector reads at the very moment: it is waited for', async () => {
    const { e, dispatcher, tried } = await disabled();
    await numbered(6);
    expect(await resumedWhileProjected(1)).toEqual({ missed: 4, revived: 0 });
    await dispatcher.drain();
    expect(entitiesOf(e, tried)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('is made ready a page in a transaction, so that events are locked in one order, however much it is', async () => {
    await disabled();
    await numbered(...times(2_500, (n) => n + 6));
    expect(await resumedWhileProjected(2_500)).toEqual({ missed: 2_503, revived: 0 });
    const { rows } = await sql<{ n: number }>`
      SELECT count(*)::int AS n FROM event_delivery WHERE sink_id = 'e' GROUP BY xmin::text ORDER BY 1 DESC`.execute(
      db,
    );
    expect(rows[0]?.n).toBeLessThanOrEqual(1_000);
    expect(await getSink(db, 'e')).toMatchObject({ status: 'enabled', missed_from: null });
  });

  test('is missed from what the log had not been read of, when it was disabled', async () => {
    await addEndpoint('e');
    const dispatcher = await dispatch({ e: scriptedSink() });
    await numbered(1);
    await db.transaction().execute((tx) => disableSink(tx, 'e', 'by its owner', clock.now()));
    await dispatcher.drain();
    expect(await resumeSink(db, 'e', clock.now())).toEqual({ missed: 1, revived: 0 });
    await db.transaction().execute((tx) => enableSink(tx, 'e', clock.now()));
    expect(await getSink(db, 'e')).toMatchObject({ missed_from: null, missed_until: null });
  });
});

describe('an event that is refused again and again', () => {
  /** Through the waits of the schedule; x is refused, y accepted or not. */
  const tryFor = async (othersAccepted: boolean) => {
    await addEndpoint('e', organization, ['something_happened']);
    const e = scriptedSink({
      say: (event) => (event.entityId === 'x' || !othersAccepted ? badRequest : undefined),
    });
    const dispatcher = await dispatch({ e });
    await write('x', 'x');
    for (let attempt = 1; attempt <= poisonAttempts; attempt += 1) {
      await dispatcher.drain();
      // Sooner than the next attempt.
      clock.advance(2_000);
      await write('y');
      await dispatcher.drain();
      clock.advance(hours(6));
    }
    return (await deliveriesTo(db, 'e'))[0];
  };

  test('while others are accepted is dead after the fifth time, and its line goes on', async () => {
    expect(await tryFor(true)).toMatchObject({
      state: 'dead',
      attempts: poisonAttempts,
      reason: expect.stringContaining('accepted others meanwhile'),
    });
    const [, second] = await deliveriesTo(db, 'e');
    expect(second?.attempts).toBeGreaterThan(0);
  });

  test('by an endpoint that accepts nothing keeps its schedule', async () => {
    expect(await tryFor(false)).toMatchObject({ state: 'pending' });
  });
});
