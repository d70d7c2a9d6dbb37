/** What was received while a sink was disabled: how much it is, and sent after all, in order, before what happens next. */
import { matchesSink } from '../../core/delivery/matches-sink.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { addDeliveries } from '../events/mark-projected.ts';
import { type LogCursor, startOfLog } from '../events/read-events.ts';
import {
  countReceived,
  holdProjector,
  projectedUpTo,
  type ReceivedRange,
  readReceived,
} from '../events/read-page.ts';
import { retryDead } from './redrive.ts';
import { countByPosition, routeEvents } from './route-events.ts';
import { type EventSink, enableSink, getSink } from './sinks.ts';
import { wakeAll } from './wake-waiting.ts';

export interface Missed {
  readonly from: Date;
  /** null: it is disabled still. */
  readonly until: Date | null;
}

/** null: nothing, or it has been replayed. */
export const missedBy = (sink: EventSink): Missed | null =>
  sink.missed_from === null ? null : { from: sink.missed_from, until: sink.missed_until };

const pageSize = 1_000;
/** Later than anything in the log. */
const endOfTime = new Date('9999-01-01T00:00:00Z');

const rangeOf = ({ from, until }: Missed, sink: EventSink): ReceivedRange => ({
  from,
  until: until ?? endOfTime,
  organizationId: sink.organization_id ?? undefined,
});

/** How many events it missed, of those that it wants; some of the first minute it may have had. */
export const countMissed = async (db: Reader, sink: EventSink): Promise<number> => {
  const missed = missedBy(sink);
  if (missed === null) return 0;
  const counts = await countReceived(db, rangeOf(missed, sink));
  return counts.filter((one) => matchesSink(sink, one)).reduce((sum, one) => sum + one.events, 0);
};

/** Whoever removes it waits, and then also skips what was made for it here. False where it was removed. */
const holdSink = async (tx: Tx, id: string): Promise<boolean> => {
  const row = await tx
    .selectFrom('event_sink')
    .select('status')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  return row !== undefined && row.status !== 'removed';
};

interface Part {
  readonly made: number;
  /** Up to where the log was read. */
  readonly place: LogCursor;
  readonly isLast: boolean;
}

const later = (a: LogCursor, b: LogCursor): LogCursor => {
  const [x, y] = [BigInt(a.xid), BigInt(b.xid)];
  return x > y || (x === y && a.position > b.position) ? a : b;
};

/**
 * Only what it has no delivery of: asked for again, it goes on where it was broken off. The page is read before the sink is held, where
 * it is not yet: only what locks or writes holds up the log, and this may search long. After the last page the place is where the projector
 * stood before it, so that the next search does not go through what is not the sink's once more.
 */
const routePage = async (tx: Tx, sinkId: string, after: LogCursor, now: Date): Promise<Part> => {
  const sink = await getSink(tx, sinkId);
  const missed = missedBy(sink);
  if (missed === null) return { made: 0, place: after, isLast: true };
  const projected = await projectedUpTo(tx);
  const events = await readReceived(tx, rangeOf(missed, sink), after, pageSize);
  if (!(await holdSink(tx, sinkId))) return { made: 0, place: after, isLast: true };
  const deliveries = await routeEvents(tx, events, [sink], now);
  await addDeliveries(tx, events, countByPosition(deliveries));
  const last = events.at(-1) ?? after;
  const isLast = events.length < pageSize;
  return {
    made: deliveries.length,
    place: isLast ? later(last, projected) : { xid: last.xid, position: last.position },
    isLast,
  };
};

export interface Resumed {
  /** Deliveries of what was missed. */
  readonly missed: number;
  /** Deliveries that had been given up since it failed. */
  readonly revived: number;
}

/** All of it, page by page, until `page` has no more. */
const routeAll = async (page: (after: LogCursor) => Promise<Part>, from: LogCursor): Promise<Part> => {
  let made = 0;
  let place = from;
  for (;;) {
    const part = await page(place);
    made += part.made;
    place = part.place;
    if (part.isLast) return { made, place, isLast: true };
  }
};

/**
 * One page while the projector stands, so that nothing falls between; where it is the last, the sink is enabled with it. Never a second page
 * in the same transaction: each locks its events in the order of their ids, and two pages together in none, in which a sink that settles
 * the same events may be met halfway.
 */
const enableAfterPage = (db: Database, sinkId: string, after: LogCursor, now: Date): Promise<Part> =>
  db.transaction().execute(async (tx) => {
    await holdProjector(tx);
    const part = await routePage(tx, sinkId, after, now);
    if (!part.isLast) return part;
    await enableSink(tx, sinkId, now);
    await forgetMissed(tx, sinkId);
    await notify(tx, 'rendermill_delivery');
    return part;
  });

/**
 * Enables the sink, and sends what it missed behind what waits for it and before what happens next. Most of it is made ready page by
 * page while the sink is disabled still; the rest while the projector stands.
 */
export const resumeSink = async (db: Database, sinkId: string, now: Date): Promise<Resumed> => {
  const { failing_since: failingSince } = await getSink(db, sinkId);
  const routeFrom = (place: LogCursor): Promise<Part> =>
    routeAll((after) => db.transaction().execute((tx) => routePage(tx, sinkId, after, now)), place);
  const ready = await routeFrom(startOfLog);
  const revived = failingSince === null ? 0 : await retryDead(db, { sinkId, endedFrom: failingSince }, now);
  await wakeAll(db, sinkId, now);
  // That may have taken minutes, and what came meanwhile is not for the transactions for which everybody waits.
  const more = await routeFrom(ready.place);
  const rest = await routeAll((after) => enableAfterPage(db, sinkId, after, now), more.place);
  return { missed: ready.made + more.made + rest.made, revived };
};

const forgetMissed = async (tx: Tx, sinkId: string): Promise<void> => {
  await tx
    .updateTable('event_sink')
    .set({ missed_from: null, missed_until: null })
    .where('id', '=', sinkId)
    .execute();
};
