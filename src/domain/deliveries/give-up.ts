import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { countEndedDeliveries, type EndedDelivery } from '../events/count-deliveries.ts';
import { whereEventLies } from './skip-deliveries.ts';

export interface PendingDelivery {
  readonly sinkId: string;
  readonly organizationId: string;
  readonly eventId: string;
}

/** Held as whoever settles holds it, and due now: what waited behind the delivery goes out. */
const holdShardOf = async (tx: Tx, delivery: PendingDelivery, now: Date): Promise<void> => {
  await sql`
    UPDATE delivery_shard s SET due_at = least(s.due_at, ${now}::timestamptz) FROM event_delivery d
    WHERE d.sink_id = ${delivery.sinkId} AND d.organization_id = ${delivery.organizationId}
      AND d.event_id = ${delivery.eventId}::uuid AND s.sink_id = d.sink_id AND s.shard = d.shard`.execute(tx);
};

/** What follows it in its lane is due, unless another one stands before it. */
const freeLane = async (tx: Tx, delivery: PendingDelivery, now: Date): Promise<void> => {
  await sql`
    UPDATE event_delivery f SET next_at = ${now}::timestamptz FROM event_delivery d
    WHERE d.sink_id = ${delivery.sinkId} AND d.organization_id = ${delivery.organizationId}
      AND d.event_id = ${delivery.eventId}::uuid
      AND f.sink_id = d.sink_id AND f.lane = d.lane AND f.state = 'pending' AND f.seq > d.seq
      AND NOT EXISTS (SELECT FROM event_delivery a
        WHERE a.sink_id = d.sink_id AND a.lane = d.lane AND a.state = 'pending' AND a.seq < d.seq)`.execute(
    tx,
  );
};

/** By hand, a delivery that waits becomes dead at once, and what it held up goes on. False where it does not wait. */
export const giveUp = (db: Database, delivery: PendingDelivery, now: Date): Promise<boolean> =>
  db.transaction().execute(async (tx) => {
    await holdShardOf(tx, delivery, now);
    const { rows } = await sql<EndedDelivery>`
      UPDATE event_delivery SET state = 'dead', ended_at = ${now}::timestamptz,
        reason = 'Given up by an operator' || coalesce('; before that: ' || reason, '.')
      WHERE sink_id = ${delivery.sinkId} AND organization_id = ${delivery.organizationId}
        AND event_id = ${delivery.eventId}::uuid AND state = 'pending'
      RETURNING ${whereEventLies}`.execute(tx);
    if (rows.length === 0) return false;
    await countEndedDeliveries(tx, rows);
    await freeLane(tx, delivery, now);
    await notify(tx, 'rendermill_delivery');
    return true;
  });
