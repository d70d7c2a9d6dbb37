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
  readonly event: PlacedEvent;
  readonly sink_id: string;
  readonly shard: number;
  readonly lane: string;
}

/** A delivery that was made. */
export interface MadeDelivery {
  readonly event: PlacedEvent;
  readonly sinkId: string;
  readonly seq: number;
}

const planPairs = (
  events: readonly PlacedEvent[],
  sinks: readonly EventSink[],
  again: boolean,
): readonly Pair[] =>
  events.flatMap((event) => {
    const wanting = sinks.filter(
      (sink) => matchesSink(sink, event) && (again || event.receivedAt >= sink.created_at),
    );
    if (wanting.length === 0) return [];
    const { lane, shardOf } = laneOf(event);
    return wanting.map((sink) => ({ event, sink_id: sink.id, shard: shardOf(sink.shards), lane }));
  });

/** Held until the end of the transaction: whoever settles deliveries of these shards waits, and sees what was added. */
const lockShards = async (tx: Tx, pairs: readonly Pair[], now: Date): Promise<void> => {
  const shards = new Map(pairs.map((pair) => [`${pair.sink_id}/${pair.shard}`, pair]));
  const wanted = [...shards.values()];
  await sql`${prepared}
    WITH locked AS (
      SELECT s.sink_id, s.shard FROM delivery_shard s
      JOIN unnest(${wanted.map(({ sink_id }) => sink_id)}::text[], ${wanted.map(({ shard }) => shard)}::smallint[])
        AS wanted (sink_id, shard) USING (sink_id, shard)
      ORDER BY 1, 2 FOR UPDATE OF s
    )
    UPDATE delivery_shard s SET due_at = least(s.due_at, ${now}::timestamptz)
    FROM locked WHERE s.sink_id = locked.sink_id AND s.shard = locked.shard`.execute(tx);
};

interface MadeRow {
  readonly sinkId: string;
  readonly organizationId: string;
  readonly eventId: string;
  readonly seq: number;
}

const insertPairs = async (
  tx: Tx,
  pairs: readonly Pair[],
  now: Date,
  again: boolean,
): Promise<readonly MadeRow[]> => {
  // What has ended begins anew, in its new place; what is on its way stays as it is.
  const repeated = again
    ? sql`DO UPDATE SET state = 'pending', attempts = 0, next_at = excluded.next_at, seq = excluded.seq, failure = NULL,
        reason = NULL, ended_at = NULL WHERE event_delivery.state <> 'pending'`
    : sql`DO NOTHING`;
  const column = <Value>(of: (pair: Pair) => Value): Value[] => pairs.map(of);
  const { rows } = await sql<MadeRow>`${prepared}
    INSERT INTO event_delivery (sink_id, organization_id, event_id, event_name, received_at, retention_class, lane, shard,
      next_at, created_at)
    SELECT pair.sink_id, pair.organization_id, pair.event_id, pair.event_name, pair.received_at, pair.retention_class, pair.lane,
      pair.shard,
      -- Behind one that waits for its next attempt, it waits as long: the last of the lane waits longest.
      greatest(${now}::timestamptz, (SELECT ahead.next_at FROM event_delivery ahead
        WHERE ahead.sink_id = pair.sink_id AND ahead.lane = pair.lane AND ahead.state = 'pending'
        ORDER BY ahead.seq DESC LIMIT 1)), ${now}::timestamptz
    FROM unnest(${column(({ sink_id }) => sink_id)}::text[], ${column(({ event }) => event.organizationId)}::text[],
      ${column(({ event }) => event.id)}::uuid[], ${column(({ event }) => event.event)}::text[],
      ${column(({ event }) => event.receivedAtText)}::timestamptz[], ${column(({ event }) => event.retentionClass)}::text[],
      ${column(({ lane }) => lane)}::bigint[], ${column(({ shard }) => shard)}::smallint[]
    ) WITH ORDINALITY AS pair (sink_id, organization_id, event_id, event_name, received_at, retention_class, lane, shard, n)
    ORDER BY pair.n
    ON CONFLICT (sink_id, organization_id, event_id) ${repeated}
    RETURNING sink_id AS "sinkId", organization_id AS "organizationId", event_id AS "eventId", seq`.execute(
    tx,
  );
  return rows;
};

/**
 * Makes the deliveries, and tells which were made. A new sink begins with what happens after it was made; `again` (a replay) takes
 * what was before, and what it has had already, too.
 */
export const routeEvents = async (
  tx: Tx,
  events: readonly PlacedEvent[],
  sinks: readonly EventSink[],
  now: Date,
  { again = false }: RouteOptions = {},
): Promise<readonly MadeDelivery[]> => {
  const pairs = planPairs(events, sinks, again);
  if (pairs.length === 0) return [];
  await lockShards(tx, pairs, now);
  const made = await insertPairs(tx, pairs, now, again);
  await notify(tx, 'rendermill_delivery');
  const byId = new Map(events.map((event) => [`${event.organizationId}/${event.id}`, event]));
  return made.flatMap(({ organizationId, eventId, sinkId, seq }) => {
    const event = byId.get(`${organizationId}/${eventId}`);
    return event ? [{ event, sinkId, seq }] : [];
  });
};

/** How many deliveries were made of each event, by position. */
export const countByPosition = (made: readonly MadeDelivery[]): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>();
  for (const { event } of made) counts.set(event.position, (counts.get(event.position) ?? 0) + 1);
  return counts;
};
