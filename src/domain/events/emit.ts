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
export const emit = async <Name extends EventName>(tx: Tx, event: NewEvent<Name>): Promise<boolean> =>
  (await emitAll(tx, [event])) === 1;

const toRow = (event: NewEvent, index: number) => {
  const { schemaVersion, retention } = eventCatalog[event.name];
  return {
    n: index,
    id: event.id ?? newId(event.occurredAt),
    event_name: event.name,
    occurred_at: event.occurredAt,
    organization_id: event.organizationId,
    user_id: event.userId ?? null,
    distinct_id: event.distinctId ?? null,
    session_id: event.sessionId ?? null,
    entity_type: event.entity?.type ?? null,
    entity_id: event.entity?.id ?? null,
    correlation_id: event.correlationId ?? null,
    source: event.source,
    schema_version: schemaVersion,
    properties: checkedProperties(event),
    context: event.context ?? {},
    retention_class: retention,
  };
};

/** As `emit`, for several in this order with one statement. Returns how many it wrote. */
export const emitAll = async (tx: Tx, events: readonly NewEvent[]): Promise<number> => {
  if (events.length === 0) return 0;
  const written = await sql`
    WITH given AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(events.map(toRow))}::jsonb) AS row (
        n int, id uuid, event_name text, occurred_at timestamptz, organization_id text, user_id text, distinct_id text,
        session_id text, entity_type text, entity_id text, correlation_id text, source text, schema_version int,
        properties jsonb, context jsonb, retention_class text)
    ), key AS (
      INSERT INTO domain_event_key (organization_id, event_id, received_at)
      SELECT organization_id, id, now() FROM given ORDER BY organization_id, id
      ON CONFLICT DO NOTHING RETURNING organization_id, event_id
    )
    INSERT INTO domain_event (id, event_name, occurred_at, received_at, organization_id, user_id, distinct_id, session_id,
      entity_type, entity_id, correlation_id, source, environment, schema_version, properties, context, retention_class)
    SELECT given.id, event_name, occurred_at, now(), given.organization_id, user_id, distinct_id, session_id,
      entity_type, entity_id, correlation_id, source, installation.environment, schema_version, properties, context,
      retention_class
    FROM given JOIN key ON key.event_id = given.id AND key.organization_id = given.organization_id CROSS JOIN installation
    ORDER BY given.n
    RETURNING pg_notify('rendermill_event', '')`.execute(tx);
  return written.rows.length;
};
