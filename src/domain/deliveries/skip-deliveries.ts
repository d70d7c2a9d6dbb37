import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import { countEndedDeliveries, type EndedDelivery } from '../events/count-deliveries.ts';

/** Each is counted on its event, which costs more than the delivery itself: a tenth of a second or two. */
const skippedAtOnce = 1_000;

/** Of a row of event_delivery, for those who count on its event. */
export const endedColumns = (table: string) =>
  sql.raw(`${table}.organization_id AS "organizationId", ${table}.event_id AS "eventId", ${table}.received_at::text AS "receivedAt",
  ${table}.retention_class AS "retentionClass", ${table}.attempts`);

/** Shards before deliveries, as whoever settles does: else two could wait for each other. */
const holdShardsOf = async (tx: Tx, organizationId: string, eventIds: readonly string[]): Promise<void> => {
  await sql`
    SELECT FROM delivery_shard s WHERE (s.sink_id, s.shard) IN (
      SELECT d.sink_id, d.shard FROM event_delivery d
      WHERE d.organization_id = ${organizationId} AND d.event_id = ANY(${[...eventIds]}::uuid[]))
    ORDER BY s.sink_id, s.shard FOR UPDATE`.execute(tx);
};

/**
 * Of events whose person is forgotten: what has not ended is not delivered any more, and what is kept of the others names nobody: what
 * a receiver answered may repeat what it was sent, and a lane can be recomputed from an id.
 */
export const eraseDeliveriesOf = async (
  tx: Tx,
  organizationId: string,
  eventIds: readonly string[],
): Promise<void> => {
  if (eventIds.length === 0) return;
  await holdShardsOf(tx, organizationId, eventIds);
  const { rows } = await sql<EndedDelivery>`
    UPDATE event_delivery SET state = 'skipped', reason = 'erased', ended_at = now()
    WHERE organization_id = ${organizationId} AND event_id = ANY(${[...eventIds]}::uuid[]) AND state = 'pending'
    RETURNING ${endedColumns('event_delivery')}`.execute(tx);
  await countEndedDeliveries(tx, rows);
  await sql`
    UPDATE event_delivery SET attempt_log = '[]', reason = CASE WHEN reason = 'erased' THEN reason END,
      lane = (random() * 9e18)::bigint
    WHERE organization_id = ${organizationId} AND event_id = ANY(${[...eventIds]}::uuid[])`.execute(tx);
};

interface Skipping {
  readonly sinkId: string;
  readonly reason: string;
}

/** What is held elsewhere for longer is for a later round: somebody may wait for this one. */
const lockTimeoutMs = 2_000;

/**
 * Of one shard, in one transaction, held as whoever settles holds it. One that has nothing left is due no more, until something is routed
 * to it. Returns how many it skipped.
 */
const skipSome = (db: Database, { sinkId, reason }: Skipping, shard: number): Promise<number> =>
  db.transaction().execute(async (tx) => {
    await sql`SELECT set_config('lock_timeout', ${String(lockTimeoutMs)}, true)`.execute(tx);
    await sql`SELECT FROM delivery_shard WHERE sink_id = ${sinkId} AND shard = ${shard} FOR UPDATE`.execute(
      tx,
    );
    const { rows } = await sql<EndedDelivery>`
      UPDATE event_delivery e SET state = 'skipped', reason = ${reason}, ended_at = now()
      FROM (
        SELECT d.organization_id, d.event_id FROM event_delivery d
        WHERE d.sink_id = ${sinkId} AND d.shard = ${shard} AND d.state = 'pending'
        ORDER BY d.next_at, d.seq LIMIT ${skippedAtOnce}
      ) AS first
      WHERE e.sink_id = ${sinkId} AND e.organization_id = first.organization_id AND e.event_id = first.event_id
      RETURNING ${endedColumns('e')}`.execute(tx);
    await countEndedDeliveries(tx, rows);
    await sql`
      UPDATE delivery_shard SET due_at = (SELECT next_at FROM event_delivery
        WHERE sink_id = ${sinkId} AND shard = ${shard} AND state = 'pending' ORDER BY next_at, seq LIMIT 1)
      WHERE sink_id = ${sinkId} AND shard = ${shard}`.execute(tx);
    return rows.length;
  });

/** All of one shard, or so many and what the last transaction had beyond that. Returns how many it skipped. */
const skipShard = async (
  db: Database,
  skipping: Skipping,
  shard: number,
  atMost: number = Number.POSITIVE_INFINITY,
): Promise<number> => {
  let skipped = 0;
  while (skipped < atMost) {
    const some = await skipSome(db, skipping, shard);
    skipped += some;
    if (some < skippedAtOnce) break;
  }
  return skipped;
};

/**
 * Nothing that waits for this sink, which gets nothing any more, goes there: in small transactions, since the log is read no further than
 * the oldest open one, and everybody's events wait for its end. Broken off, it is asked for again. After so many (`atMost`, and what
 * the last transaction had beyond it) it leaves the rest.
 */
export const skipDeliveriesOfSink = async (
  db: Database,
  skipping: Skipping,
  atMost: number,
): Promise<void> => {
  const shards = await db
    .selectFrom('delivery_shard')
    .select('shard')
    .where('sink_id', '=', skipping.sinkId)
    .orderBy('shard')
    .execute();
  let left = atMost;
  for (const { shard } of shards) left -= await skipShard(db, skipping, shard, left);
};

export interface SkipDeps {
  readonly db: Database;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * What is left of sinks that were removed: what whoever removed them has not come to, and what was routed in that moment. To be called
 * every few seconds, by any number of processes: only what is due is looked at, and a shard where something waits is. One that fails is
 * for the next round, and holds up no other.
 */
export const skipDeliveriesOfRemovedSinks = async ({ db, log }: SkipDeps): Promise<void> => {
  const { rows } = await sql<Skipping & { shard: number }>`
    SELECT s.sink_id AS "sinkId", s.shard, coalesce(k.status_reason, 'The sink was removed.') AS reason
    FROM delivery_shard s JOIN event_sink k ON k.id = s.sink_id
    WHERE s.due_at IS NOT NULL AND k.status = 'removed' ORDER BY s.due_at`.execute(db);
  for (const { shard, ...skipping } of rows) {
    try {
      await skipShard(db, skipping, shard);
    } catch (err) {
      log.warn(
        { err, sinkId: skipping.sinkId, shard },
        'what waits for a removed sink could not be skipped; it is tried again',
      );
    }
  }
};
