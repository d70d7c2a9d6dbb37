/** Makes the delivery rows of events, in the order of the log: one for each sink that wants the event. */
import { sql } from 'kysely';
import { matchesSink } from '../../core/delivery/matches-sink.ts';
import { prepared, type Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { PlacedEvent } from '../events/read-page.ts';
import { laneOf } from './lane.ts';
import type { EventSink } from './sinks.ts';

export interface RouteOptions {
  /** Also what happened before the sink was made, and what it has had already. */
  readonly again?: boolean;
}

interface Pair {
  readonly n: number;
  readonly sink_id: string;
  readonly shard: number;
  readonly lane: string;
  readonly xid: string;
  readonly position: number;
}

const planPairs = (
  events: readonly PlacedEvent[],
  sinks: readonly EventSink[],
  again: boolean,
): readonly Pair[] =>
  events
    .flatMap((event) => {
      const wanting = sinks.filter(
        (sink) => matchesSink(sink, event) && (again || event.receivedAt >= sink.created_at),
      );
      if (wanting.length === 0) return [];
      const { lane, shardOf } = laneOf(event);
      const { xid, position } = event;
      return wanting.map((sink) => ({ sink_id: sink.id, shard: shardOf(sink.shards), lane, xid, position }));
    })
    .map((pair, n) => ({ n, ...pair }));

/** Held until the end of the transaction: whoever settles deliveries of these shards waits, and sees what was added. */
const lockShards = async (tx: Tx, given: string, now: Date): Promise<void> => {
  await sql`${prepared}
    WITH wanted AS (
      SELECT DISTINCT sink_id, shard FROM jsonb_to_recordset(${given}::jsonb) AS pair (sink_id text, shard smallint)
    ), locked AS (
      SELECT s.sink_id, s.shard FROM delivery_shard s JOIN wanted USING (sink_id, shard) ORDER BY 1, 2 FOR UPDATE OF s
    )
    UPDATE delivery_shard s SET due_at = least(s.due_at, ${now}::timestamptz)
    FROM locked WHERE s.sink_id = locked.sink_id AND s.shard = locked.shard`.execute(tx);
};

/** Of a page: where to look for its events. The log keeps microseconds, which a Date cuts. */
const timesOf = (events: readonly PlacedEvent[]): readonly [Date, Date] => {
  const times = events.map((event) => event.receivedAt.getTime());
  return [new Date(Math.min(...times)), new Date(Math.max(...times) + 1)];
};

const insertPairs = async (
  tx: Tx,
  given: string,
  [from, until]: readonly [Date, Date],
  now: Date,
  again: boolean,
): Promise<readonly { organizationId: string; eventId: string }[]> => {
  // What has ended begins anew, in its new place; what is on its way stays as it is.
  const repeated = again
    ? sql`DO UPDATE SET state = 'pending', attempts = 0, next_at = excluded.next_at, seq = excluded.seq, failure = NULL,
        reason = NULL, ended_at = NULL WHERE event_delivery.state <> 'pending'`
    : sql`DO NOTHING`;
  const { rows } = await sql<{ organizationId: string; eventId: string }>`${prepared}
    WITH pair AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${given}::jsonb) AS pair (
        n int, sink_id text, shard smallint, lane bigint, xid xid8, position bigint)
    )
    INSERT INTO event_delivery (sink_id, organization_id, event_id, event_name, received_at, retention_class, lane, shard,
      next_at, created_at)
    SELECT pair.sink_id, e.organization_id, e.id, e.event_name, e.received_at, e.retention_class, pair.lane, pair.shard,
      -- Behind one that waits for its next attempt, it waits as long: the last of the lane waits longest.
      greatest(${now}::timestamptz, (SELECT ahead.next_at FROM event_delivery ahead
        WHERE ahead.sink_id = pair.sink_id AND ahead.lane = pair.lane AND ahead.state = 'pending'
        ORDER BY ahead.seq DESC LIMIT 1)), ${now}::timestamptz
    FROM pair JOIN domain_event e ON e.xid = pair.xid AND e.position = pair.position
    WHERE e.received_at BETWEEN ${from}::timestamptz AND ${until}::timestamptz
    ORDER BY pair.n
    ON CONFLICT (sink_id, organization_id, event_id) ${repeated}
    RETURNING organization_id AS "organizationId", event_id AS "eventId"`.execute(tx);
  return rows;
};

/**
 * Makes the deliveries, and tells how many of each event were made, by position. A new sink begins with what happens after it was
 * made; `again` (a replay) takes what was before, and what it has had already, too.
 */
export const routeEvents = async (
  tx: Tx,
  events: readonly PlacedEvent[],
  sinks: readonly EventSink[],
  now: Date,
  { again = false }: RouteOptions = {},
): Promise<ReadonlyMap<number, number>> => {
  const pairs = planPairs(events, sinks, again);
  const counts = new Map<number, number>();
  if (pairs.length === 0) return counts;
  const given = JSON.stringify(pairs);
  await lockShards(tx, given, now);
  const made = await insertPairs(tx, given, timesOf(events), now, again);
  await notify(tx, 'rendermill_delivery');
  const positions = new Map(events.map((event) => [`${event.organizationId}/${event.id}`, event.position]));
  for (const { organizationId, eventId } of made) {
    const position = positions.get(`${organizationId}/${eventId}`) ?? 0;
    counts.set(position, (counts.get(position) ?? 0) + 1);
  }
  return counts;
};
