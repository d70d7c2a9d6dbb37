import { sql } from 'kysely';
import type { RetentionClass } from '../../core/events/define-event.ts';
import { prepared, type Tx } from '../../platform/db/client.ts';

/** A delivery that has come to its end, and where its event lies. */
export interface EndedDelivery {
  readonly organizationId: string;
  readonly eventId: string;
  /** As Postgres writes it, to the microsecond. */
  readonly receivedAt: string;
  readonly retentionClass: RetentionClass;
  readonly attempts: number;
}

/**
 * Counts the ends on the events: one whose last delivery has ended is processed. The rows are locked in the order of their ids, so
 * that two sinks that end the same events do not wait for each other in a circle.
 *
 * No bounds of received_at besides, though fewer partitions would be opened: a prepared plan that leaves out partitions by its
 * parameters loses rows that another transaction has just changed (Postgres 18; a test of redrive shows it).
 */
export const countEndedDeliveries = async (tx: Tx, ended: readonly EndedDelivery[]): Promise<void> => {
  if (ended.length === 0) return;
  await sql`${prepared}
    WITH given AS (
      SELECT id, organization_id, received_at, retention_class, count(*) AS ends, sum(attempts) AS attempts
      FROM unnest(${ended.map(({ eventId }) => eventId)}::uuid[], ${ended.map(({ organizationId }) => organizationId)}::text[],
        ${ended.map(({ receivedAt }) => receivedAt)}::timestamptz[],
        ${ended.map(({ retentionClass }) => retentionClass)}::text[], ${ended.map(({ attempts }) => attempts)}::int[]
      ) AS row (id, organization_id, received_at, retention_class, attempts)
      GROUP BY 1, 2, 3, 4
    ), event AS (
      SELECT e.id, e.organization_id, e.received_at, e.retention_class, given.ends, given.attempts
      FROM given JOIN domain_event e ON e.id = given.id AND e.organization_id = given.organization_id
        AND e.received_at = given.received_at AND e.retention_class = given.retention_class
      ORDER BY e.id FOR NO KEY UPDATE OF e
    )
    UPDATE domain_event e SET
      open_deliveries = greatest(e.open_deliveries - event.ends, 0),
      delivery_attempts = e.delivery_attempts + event.attempts,
      is_processed = e.open_deliveries <= event.ends,
      processed_at = CASE WHEN e.open_deliveries <= event.ends THEN now() END
    FROM event WHERE e.id = event.id AND e.organization_id = event.organization_id
      AND e.received_at = event.received_at AND e.retention_class = event.retention_class`.execute(tx);
};

/** The event lies where; one that is given twice has two. */
type ReopenedDelivery = Omit<EndedDelivery, 'attempts'>;

/** Deliveries that had ended are on their way again: their events are not processed. Locks as above. */
export const countReopenedDeliveries = async (
  tx: Tx,
  reopened: readonly ReopenedDelivery[],
): Promise<void> => {
  if (reopened.length === 0) return;
  await sql`
    WITH given AS (
      SELECT "organizationId" AS organization_id, "eventId" AS id, "receivedAt" AS received_at, "retentionClass" AS retention_class,
        count(*) AS deliveries
      FROM jsonb_to_recordset(${JSON.stringify(reopened)}::jsonb) AS row (
        "organizationId" text, "eventId" uuid, "receivedAt" timestamptz, "retentionClass" text)
      GROUP BY 1, 2, 3, 4
    ), event AS (
      SELECT e.id, e.organization_id, e.received_at, e.retention_class, given.deliveries
      FROM given JOIN domain_event e ON e.id = given.id AND e.organization_id = given.organization_id
        AND e.received_at = given.received_at AND e.retention_class = given.retention_class
      ORDER BY e.id FOR UPDATE OF e
    )
    UPDATE domain_event e SET open_deliveries = e.open_deliveries + event.deliveries, is_processed = false, processed_at = NULL
    FROM event
    WHERE e.id = event.id AND e.organization_id = event.organization_id AND e.received_at = event.received_at
      AND e.retention_class = event.retention_class`.execute(tx);
};
