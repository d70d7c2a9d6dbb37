import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';
import { countEndedDeliveries, type EndedDelivery } from '../events/count-deliveries.ts';

/** A statement changes at most so many rows. */
const chunk = 1_000;

/** Of a row of event_delivery, for those who count on its event. */
export const whereEventLies =
  sql.raw(`organization_id AS "organizationId", event_id AS "eventId", received_at::text AS "receivedAt",
  retention_class AS "retentionClass", attempts`);

/** Deliveries of these events that have not ended are not made any more. */
export const skipDeliveriesOf = async (
  tx: Tx,
  organizationId: string,
  eventIds: readonly string[],
  reason = 'erased',
): Promise<void> => {
  if (eventIds.length === 0) return;
  const { rows } = await sql<EndedDelivery>`
    UPDATE event_delivery SET state = 'skipped', reason = ${reason}, ended_at = now()
    WHERE organization_id = ${organizationId} AND event_id = ANY(${[...eventIds]}::uuid[]) AND state = 'pending'
    RETURNING ${whereEventLies}`.execute(tx);
  await countEndedDeliveries(tx, rows);
};

/** Nothing that waits for this sink goes there any more. */
export const skipDeliveriesOfSink = async (tx: Tx, sinkId: string, reason: string): Promise<void> => {
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
