/** The one shape of an event on the wire: to a webhook, to a file, over HTTP. Source: the event catalog document, section 10. */
import type { SinkEvent } from '../delivery/sink-event.ts';

export interface CanonicalEvent {
  readonly id: string;
  readonly event: string;
  /** When it happened, ISO 8601 in UTC. */
  readonly timestamp: string;
  readonly received_at: string;
  readonly organization_id: string;
  readonly user_id: string | null;
  readonly distinct_id: string | null;
  readonly session_id: string | null;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly correlation_id: string | null;
  readonly source: string;
  readonly environment: string;
  readonly schema_version: number;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly context: Readonly<Record<string, unknown>>;
}

export const toCanonicalEvent = (event: Omit<SinkEvent, 'consent'>): CanonicalEvent => ({
  id: event.id,
  event: event.event,
  timestamp: event.occurredAt.toISOString(),
  received_at: event.receivedAt.toISOString(),
  organization_id: event.organizationId,
  user_id: event.userId,
  distinct_id: event.distinctId,
  session_id: event.sessionId,
  entity_type: event.entityType,
  entity_id: event.entityId,
  correlation_id: event.correlationId,
  source: event.source,
  environment: event.environment,
  schema_version: event.schemaVersion,
  properties: event.properties,
  context: event.context,
});
