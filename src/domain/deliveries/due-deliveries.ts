import { sql } from 'kysely';
import type { SinkEvent } from '../../core/delivery/sink-event.ts';
import type { RetentionClass } from '../../core/events/define-event.ts';
import type { RecordedEvent } from '../../core/events/recorded-event.ts';
import { type Database, prepared } from '../../platform/db/client.ts';
import type { ShardLease } from './lease-shards.ts';
import { consentOf, readConsents } from './read-consents.ts';

/** One that is due, with its event. */
export interface DueDelivery {
  readonly organizationId: string;
  readonly eventId: string;
  readonly eventName: string;
  readonly lane: string;
  readonly seq: number;
  /** Attempts that failed. */
  readonly attempts: number;
  /** Where the event lies, to the microsecond. */
  readonly receivedAt: string;
  readonly retentionClass: RetentionClass;
  /** null: the event is not in the log any more. */
  readonly event: SinkEvent | null;
}

type Claimed = Omit<DueDelivery, 'event'>;

/**
 * The head of the shard's line in the order of the log. Within a lane the time of the next attempt never falls, so that of each
 * lane this is what comes first. Consent is what it is now, not what it was when the event happened.
 */
export const dueDeliveries = async (
  db: Database,
  lease: ShardLease,
  limit: number,
  now: Date,
): Promise<readonly DueDelivery[]> => {
  const claimed = await claim(db, lease, limit, now);
  const events = new Map<number, RecordedEvent>();
  for (const { seq, ...event } of await readEventsOf(db, claimed)) events.set(seq, event);
  const consents = await readConsents(db, [...events.values()]);
  return claimed.map((delivery) => {
    const event = events.get(delivery.seq);
    return Object.assign(delivery, {
      event: event ? Object.assign({ consent: consentOf(consents, event) }, event) : null,
    });
  });
};

const claim = async (
  db: Database,
  lease: ShardLease,
  limit: number,
  now: Date,
): Promise<readonly Claimed[]> => {
  const { rows } = await sql<Claimed>`${prepared}
    SELECT organization_id AS "organizationId", event_id AS "eventId", event_name AS "eventName", lane::text AS lane, seq, attempts,
      received_at::text AS "receivedAt", retention_class AS "retentionClass"
    FROM event_delivery
    WHERE sink_id = ${lease.sinkId} AND shard = ${lease.shard} AND state = 'pending' AND next_at <= ${now}::timestamptz
    ORDER BY next_at, seq LIMIT ${limit}`.execute(db);
  return rows;
};

/** With what was derived among the properties: where both have a name, the derived value stands. */
const readEventsOf = async (
  db: Database,
  deliveries: readonly Claimed[],
): Promise<readonly (RecordedEvent & { readonly seq: number })[]> => {
  if (deliveries.length === 0) return [];
  const { rows } = await sql<RecordedEvent & { seq: number }>`${prepared}
    SELECT d.seq, e.id, e.event_name AS event, e.occurred_at AS "occurredAt", e.received_at AS "receivedAt",
      e.organization_id AS "organizationId", e.user_id AS "userId", e.distinct_id AS "distinctId", e.session_id AS "sessionId",
      e.entity_type AS "entityType", e.entity_id AS "entityId", e.correlation_id AS "correlationId", e.source, e.environment,
      e.schema_version AS "schemaVersion", e.is_known AS "isKnown", e.properties || coalesce(e.derived, '{}') AS properties, e.context
    FROM unnest(${deliveries.map(({ seq }) => seq)}::bigint[], ${deliveries.map(({ eventId }) => eventId)}::uuid[],
      ${deliveries.map(({ organizationId }) => organizationId)}::text[],
      ${deliveries.map(({ receivedAt }) => receivedAt)}::timestamptz[],
      ${deliveries.map(({ retentionClass }) => retentionClass)}::text[]
    ) AS d (seq, event_id, organization_id, received_at, retention_class)
    JOIN domain_event e ON e.id = d.event_id AND e.organization_id = d.organization_id
      AND e.received_at = d.received_at AND e.retention_class = d.retention_class`.execute(db);
  return rows;
};

/**
 * Those of them that are to be sent still: what was given up, skipped or erased since they were claimed is not among them, and none is
 * where the sink was disabled or removed.
 */
export const stillPending = async (
  db: Database,
  sinkId: string,
  deliveries: readonly DueDelivery[],
): Promise<readonly DueDelivery[]> => {
  const { rows } = await sql<{ n: number }>`${prepared}
    SELECT given.n::int - 1 AS n
    FROM unnest(${deliveries.map(({ organizationId }) => organizationId)}::text[], ${deliveries.map(({ eventId }) => eventId)}::uuid[])
      WITH ORDINALITY AS given (organization_id, event_id, n)
    JOIN event_delivery d ON d.sink_id = ${sinkId} AND d.organization_id = given.organization_id AND d.event_id = given.event_id
    JOIN event_sink k ON k.id = d.sink_id AND k.status = 'enabled'
    WHERE d.state NOT IN ('delivered', 'skipped', 'dead')`.execute(db);
  const pending = new Set(rows.map(({ n }) => n));
  return deliveries.filter((_, n) => pending.has(n));
};
