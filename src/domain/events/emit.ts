import type { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import { definitionOf, type EventName } from '../../core/events/catalog.ts';
import type { NewEvent } from '../../core/events/new-event.ts';
import { newId } from '../../core/ids.ts';
import type { Tx } from '../../platform/db/client.ts';
import { appendEvents, type LogRow } from './append-events.ts';

/** What our own code gives: a name that is not in the catalog is a mistake of ours. Made once each, since that costs. */
const strictSchemas = new Map<EventName, z.ZodObject>();
const strictSchemaOf = (name: EventName): z.ZodObject => {
  const { emitted, properties } = definitionOf(name);
  const schema = strictSchemas.get(name) ?? (emitted ?? properties).strict();
  strictSchemas.set(name, schema);
  return schema;
};

const checkedProperties = (event: NewEvent): unknown => {
  const { sources } = definitionOf(event.name);
  if (!sources.includes(event.source)) {
    throw new RendermillError('invalid_event', {
      message: `${event.name} may not come from ${event.source}.`,
    });
  }
  const parsed = strictSchemaOf(event.name).safeParse(event.properties);
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

const toRow = (event: NewEvent): LogRow => {
  const { schemaVersion, retention } = definitionOf(event.name);
  return {
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
    is_known: true,
  };
};

/** As `emit`, for several in this order with one statement. Returns how many it wrote. */
export const emitAll = async (tx: Tx, events: readonly NewEvent[]): Promise<number> =>
  (await appendEvents(tx, events.map(toRow))).size;
