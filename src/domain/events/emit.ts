import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import { type EventName, eventCatalog } from '../../core/events/catalog.ts';
import type { NewEvent } from '../../core/events/new-event.ts';
import { newId } from '../../core/ids.ts';
import type { Tx } from '../../platform/db/client.ts';

const checkedProperties = (event: NewEvent): unknown => {
  const definition = eventCatalog[event.name];
  if (!definition.sources.includes(event.source)) {
    throw new RendermillError('invalid_event', {
      message: `${event.name} may not come from ${event.source}.`,
    });
  }
  const parsed = definition.properties.safeParse(event.properties);
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map(
    (issue) => `${issue.path.join('.') || 'properties'}: ${issue.message}`,
  );
  throw new RendermillError('invalid_event', {
    message: `${event.name} does not fit its schema: ${reasons.join('; ')}`,
  });
};

/**
 * Writes one row of the log, in the transaction of the state change that it tells of: both are there, or neither. Throws
 * `invalid_event` for what the catalog's schema refuses. Says whether it wrote: an id that the organization has sent before
 * (within 30 days) is the same event.
 */
export const emit = async <Name extends EventName>(tx: Tx, event: NewEvent<Name>): Promise<boolean> => {
  const properties = checkedProperties(event);
  const { schemaVersion, retention } = eventCatalog[event.name];
  const id = event.id ?? newId(event.occurredAt);
  const written = await sql`
    WITH key AS (
      INSERT INTO domain_event_key (organization_id, event_id, received_at) VALUES (${event.organizationId}, ${id}, now())
      ON CONFLICT DO NOTHING RETURNING event_id
    )
    INSERT INTO domain_event (id, event_name, occurred_at, received_at, organization_id, user_id, distinct_id, session_id,
      entity_type, entity_id, correlation_id, source, environment, schema_version, properties, context, retention_class)
    SELECT key.event_id, ${event.name}, ${event.occurredAt}, now(), ${event.organizationId}, ${event.userId ?? null},
      ${event.distinctId ?? null}, ${event.sessionId ?? null}, ${event.entity?.type ?? null}, ${event.entity?.id ?? null},
      ${event.correlationId ?? null}, ${event.source}, installation.environment, ${schemaVersion},
      ${JSON.stringify(properties)}::jsonb, ${JSON.stringify(event.context ?? {})}::jsonb, ${retention}
    FROM key, installation
    RETURNING pg_notify('rendermill_event', '')`.execute(tx);
  return written.rows.length > 0;
};
