import { sql } from 'kysely';
import type { Tx } from '../../platform/db/client.ts';

/** Holds all shards, as whoever settles holds one: else two could wait for each other's deliveries. */
const wakeShards = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
  await sql`
    UPDATE delivery_shard s SET due_at = least(s.due_at, ${now}::timestamptz)
    FROM (SELECT shard FROM delivery_shard WHERE sink_id = ${sinkId} ORDER BY shard FOR UPDATE) AS held
    WHERE s.sink_id = ${sinkId} AND s.shard = held.shard`.execute(tx);
};

/** The sink is back: what waited for that alone is due. */
export const wakeWaiting = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
  await wakeShards(tx, sinkId, now);
  // A lane whose head the sink refused keeps its patience: its order would be lost otherwise.
  await sql`
    UPDATE event_delivery d SET next_at = ${now}::timestamptz
    WHERE d.sink_id = ${sinkId} AND d.state = 'pending' AND d.next_at > ${now}::timestamptz
      AND NOT EXISTS (SELECT 1 FROM event_delivery r WHERE r.sink_id = d.sink_id AND r.lane = d.lane
        AND r.state = 'pending' AND r.failure = 'refused')`.execute(tx);
};

/** Someone has mended the sink: all that waits is due, whole lanes in their order, with all attempts before it. */
export const wakeAll = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
  await wakeShards(tx, sinkId, now);
  // A backlog of hundreds of thousands takes its time.
  await sql`SET LOCAL statement_timeout = '300s'`.execute(tx);
  await sql`
    UPDATE event_delivery SET next_at = least(next_at, ${now}::timestamptz), attempts = 0, failure = NULL
    WHERE sink_id = ${sinkId} AND state = 'pending' AND (next_at > ${now}::timestamptz OR attempts > 0)`.execute(
    tx,
  );
};
