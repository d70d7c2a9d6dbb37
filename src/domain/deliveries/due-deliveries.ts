import { sql } from 'kysely';
import type { Consent, SinkEvent } from '../../core/delivery/sink-event.ts';
import type { RetentionClass } from '../../core/events/define-event.ts';
import { type Database, prepared } from '../../platform/db/client.ts';
import type { LoggedEvent } from '../events/read-events.ts';
import type { ShardLease } from './lease-shards.ts';

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

interface Row extends Omit<DueDelivery, 'event'> {
  readonly event: (Omit<LoggedEvent, 'occurredAt' | 'receivedAt' | 'position'> & ConsentColumns) | null;
  readonly occurredAt: Date | null;
  readonly eventReceivedAt: Date | null;
}

interface ConsentColumns {
  readonly consent: Consent;
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
): Promise<readonly DueDelivery[]> => {
  const { rows } = await sql<Row>`${prepared}
    SELECT d.organization_id AS "organizationId", d.event_id AS "eventId", d.event_name AS "eventName", d.lane::text AS lane,
      d.seq, d.attempts, d.received_at::text AS "receivedAt", d.retention_class AS "retentionClass",
      e.occurred_at AS "occurredAt", e.received_at AS "eventReceivedAt",
      CASE WHEN e.id IS NOT NULL THEN jsonb_build_object('id', e.id, 'event', e.event_name,
        'organizationId', e.organization_id, 'userId', e.user_id, 'distinctId', e.distinct_id, 'sessionId', e.session_id,
        'entityType', e.entity_type, 'entityId', e.entity_id, 'correlationId', e.correlation_id, 'source', e.source,
        'environment', e.environment, 'schemaVersion', e.schema_version, 'isKnown', e.is_known,
        'properties', e.properties || coalesce(e.derived, '{}'), 'context', e.context,
        'consent', jsonb_build_object('adsAllowed', said.ads_allowed, 'analyticsAllowed', said.analytics_allowed)) END AS event
    FROM (
      SELECT * FROM event_delivery
      WHERE sink_id = ${lease.sinkId} AND shard = ${lease.shard} AND state = 'pending' AND next_at <= ${now}::timestamptz
      ORDER BY next_at, seq LIMIT ${limit}
    ) d
    LEFT JOIN domain_event e ON e.id = d.event_id AND e.organization_id = d.organization_id
      AND e.received_at = d.received_at AND e.retention_class = d.retention_class
    LEFT JOIN identity_link link ON link.organization_id = e.organization_id AND link.distinct_id = e.distinct_id
    LEFT JOIN LATERAL (
      SELECT (array_agg(ads_allowed ORDER BY ads_stated_at DESC NULLS LAST))[1] AS ads_allowed,
        (array_agg(analytics_allowed ORDER BY analytics_stated_at DESC NULLS LAST))[1] AS analytics_allowed
      FROM person_consent c WHERE c.organization_id = e.organization_id
        AND (c.person_kind, c.person_id) IN (('user', coalesce(e.user_id, link.user_id)), ('visitor', e.distinct_id))
    ) said ON true
    ORDER BY d.next_at, d.seq`.execute(db);
  return rows.map(({ occurredAt, eventReceivedAt, event, ...delivery }) => ({
    ...delivery,
    event:
      event === null || occurredAt === null || eventReceivedAt === null
        ? null
        : { ...event, occurredAt, receivedAt: eventReceivedAt },
  }));
};
