import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';

/** Holds all shards, as whoever settles holds one: else two could wait for each other's deliveries. */
export const wakeShards = async (tx: Tx, sinkId: string, now: Date): Promise<void> => {
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

const wokenAtOnce = 5_000;

/** Holds one shard, for a moment: the projector and everybody's deliveries wait for none of it. Returns how many it woke. */
const wakeSome = (db: Database, sinkId: string, shard: number, now: Date): Promise<number> =>
  db.transaction().execute(async (tx) => {
    await sql`SELECT FROM delivery_shard WHERE sink_id = ${sinkId} AND shard = ${shard} FOR UPDATE`.execute(
      tx,
    );
    const { numAffectedRows } = await sql`
      UPDATE event_delivery d SET next_at = least(d.next_at, ${now}::timestamptz), attempts = 0, failure = NULL
      FROM (
        SELECT organization_id, event_id FROM event_delivery
        WHERE sink_id = ${sinkId} AND shard = ${shard} AND state = 'pending' AND (next_at > ${now}::timestamptz OR attempts > 0)
        ORDER BY seq LIMIT ${wokenAtOnce}
      ) AS first
      WHERE d.sink_id = ${sinkId} AND d.organization_id = first.organization_id AND d.event_id = first.event_id`.execute(
      tx,
    );
    return Number(numAffectedRows ?? 0);
  });

/**
 * Someone has mended the sink: all that waits is due, whole lanes in their order, with all attempts before it. In many small transactions,
 * each lane from its head on, so that at no time one is due before what it has to follow.
 */
export const wakeAll = async (db: Database, sinkId: string, now: Date): Promise<void> => {
  const shards = await db
    .selectFrom('delivery_shard')
    .select('shard')
    .where('sink_id', '=', sinkId)
    .orderBy('shard')
    .execute();
  for (const { shard } of shards) {
    while ((await wakeSome(db, sinkId, shard, now)) === wokenAtOnce);
  }
};
