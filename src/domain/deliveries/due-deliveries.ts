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

/** Events that need not be read from the log, by the `seq` of their delivery; asked once for each. */
export type KnownEvents = (seq: number) => RecordedEvent | undefined;

interface Claimed extends Omit<DueDelivery, 'event'> {
  /** Nothing has happened to it since it was made. */
  readonly isFresh: boolean;
}

/**
 * The head of the shard's line in the order of the log. Within a lane the time of the next attempt never falls, so that of each
 * lane this is what comes first. Consent is what it is now, not what it was when the event happened.
 */
export const dueDeliveries = async (
  db: Database,
  lease: ShardLease,
  limit: number,
  now: Date,
  known: KnownEvents = () => undefined,
): Promise<readonly DueDelivery[]> => {
  const claimed = await claim(db, lease, limit, now);
  const events = new Map<number, RecordedEvent>();
  for (const { seq, isFresh } of claimed) {
    // What was tried, given up or sent again may be of somebody who was forgotten meanwhile: the log knows.
    const event = known(seq);
    if (event && isFresh) events.set(seq, event);
  }
  const unknown = claimed.filter(({ seq }) => !events.has(seq));
  for (const { seq, ...event } of await readEventsOf(db, unknown)) events.set(seq, event);
  const consents = await readConsents(db, [...events.values()]);
  return claimed.map(({ isFresh: _isFresh, ...delivery }) => {
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
      received_at::text AS "receivedAt", retention_class AS "retentionClass", next_at = created_at AS "isFresh"
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
