import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { countEndedDeliveries, type EndedDelivery } from '../events/count-deliveries.ts';
import { endedColumns } from './skip-deliveries.ts';
import { type FreedLane, wakeLane } from './wake-waiting.ts';

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

const endIt = (db: Database, delivery: PendingDelivery, now: Date): Promise<FreedLane | null> =>
  db.transaction().execute(async (tx) => {
    await holdShardOf(tx, delivery, now);
    const { rows } = await sql<EndedDelivery & FreedLane>`
      UPDATE event_delivery SET state = 'dead', ended_at = ${now}::timestamptz,
        reason = 'Given up by an operator' || coalesce('; before that: ' || reason, '.')
      WHERE sink_id = ${delivery.sinkId} AND organization_id = ${delivery.organizationId}
        AND event_id = ${delivery.eventId}::uuid AND state = 'pending'
      RETURNING ${endedColumns('event_delivery')}, sink_id AS "sinkId", shard, lane::text AS lane, seq`.execute(
      tx,
    );
    await countEndedDeliveries(tx, rows);
    return rows[0] ?? null;
  });

/**
 * By hand, a delivery that waits becomes dead at once, and what it held up goes on: a long line in small transactions. Broken off between
 * them, the rest of the line waits as long as it would have. False where it does not wait.
 */
export const giveUp = async (db: Database, delivery: PendingDelivery, now: Date): Promise<boolean> => {
  const ended = await endIt(db, delivery, now);
  if (ended === null) return false;
  await wakeLane(db, ended, now);
  await notify(db, 'rendermill_delivery');
  return true;
};
