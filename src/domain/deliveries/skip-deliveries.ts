import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';
import { countEndedDeliveries, type EndedDelivery } from '../events/count-deliveries.ts';

/** A statement changes at most so many rows. */
const chunk = 1_000;

/** Of a row of event_delivery, for those who count on its event. */
export const whereEventLies =
  sql.raw(`organization_id AS "organizationId", event_id AS "eventId", received_at::text AS "receivedAt",
  retention_class AS "retentionClass", attempts`);

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
    RETURNING ${whereEventLies}`.execute(tx);
  await countEndedDeliveries(tx, rows);
  await sql`
    UPDATE event_delivery SET attempt_log = '[]', reason = CASE WHEN reason = 'erased' THEN reason END,
      lane = (random() * 9e18)::bigint
    WHERE organization_id = ${organizationId} AND event_id = ANY(${[...eventIds]}::uuid[])`.execute(tx);
};

/** Nothing that waits for this sink goes there any more. */
export const skipDeliveriesOfSink = async (tx: Tx, sinkId: string, reason: string): Promise<void> => {
  await sql`SELECT FROM delivery_shard WHERE sink_id = ${sinkId} ORDER BY shard FOR UPDATE`.execute(tx);
  for (;;) {
    const { rows } = await sql<EndedDelivery>`
      UPDATE event_delivery SET state = 'skipped', reason = ${reason}, ended_at = now()
      WHERE sink_id = ${sinkId} AND state = 'pending' AND seq IN (
        SELECT seq FROM event_delivery WHERE sink_id = ${sinkId} AND state = 'pending' LIMIT ${chunk})
      RETURNING ${whereEventLies}`.execute(tx);
    await countEndedDeliveries(tx, rows);
    if (rows.length < chunk) return;
  }
};

/** One that was routed in the moment in which its sink was removed. */
export const skipDeliveriesOfRemovedSinks = async (db: Database): Promise<void> => {
  const removed = await db
    .selectFrom('event_sink')
    .select(['id', 'status_reason'])
    .where('status', '=', 'removed')
    .execute();
  for (const { id, status_reason: reason } of removed) {
    await db.transaction().execute((tx) => skipDeliveriesOfSink(tx, id, reason ?? 'The sink was removed.'));
  }
};
