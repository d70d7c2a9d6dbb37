/**
 * Reading the log from a place on. The order is (transaction, position), and a reader stops before the oldest transaction that
 * is still open: one that commits late is then met later, never skipped.
 */
import { sql } from 'kysely';
import type { RecordedEvent } from '../../core/events/recorded-event.ts';
import type { Reader } from '../../platform/db/client.ts';

export interface LoggedEvent extends RecordedEvent {
  /** Null until the projector has met it. */
  readonly derived: Readonly<Record<string, unknown>> | null;
  readonly position: number;
}

/** A place in the log. */
export interface LogCursor {
  /** A transaction's xid8, as text. */
  readonly xid: string;
  readonly position: number;
}

export const startOfLog: LogCursor = { xid: '0', position: 0 };

interface EventPage {
  readonly events: readonly LoggedEvent[];
  readonly next: LogCursor;
}

export const eventColumnNames = `id, event_name AS event, occurred_at AS "occurredAt", received_at AS "receivedAt",
  organization_id AS "organizationId", user_id AS "userId", distinct_id AS "distinctId", session_id AS "sessionId", entity_type AS "entityType", entity_id AS "entityId",
  correlation_id AS "correlationId", source, environment, schema_version AS "schemaVersion", properties, context,
  derived, is_known AS "isKnown", position`;

export const eventColumns = sql.raw(eventColumnNames);

export const readEventsAfter = async (
  db: Reader,
  after: LogCursor,
  options: { limit: number; organizationId?: string },
): Promise<EventPage> => {
  const { rows } = await sql<LoggedEvent & { transaction: string }>`
    SELECT ${eventColumns}, xid::text AS "transaction" FROM domain_event
    WHERE (xid, position) > (${after.xid}::xid8, ${after.position}::bigint)
      AND xid < pg_snapshot_xmin(pg_current_snapshot())
      ${options.organizationId === undefined ? sql`` : sql`AND organization_id = ${options.organizationId}`}
    ORDER BY domain_event.xid, domain_event.position LIMIT ${options.limit}`.execute(db);
  const last = rows.at(-1);
  return {
    events: rows.map(({ transaction: _transaction, ...event }) => event),
    next: last ? { xid: last.transaction, position: last.position } : after,
  };
};

/** The end of the log as it is now: whoever reads on from here meets only what comes. */
export const endOfLog = async (db: Reader): Promise<LogCursor> => {
  const { rows } = await sql<LogCursor>`
    SELECT domain_event.xid::text AS xid, position FROM domain_event
    WHERE domain_event.xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY domain_event.xid DESC, domain_event.position DESC LIMIT 1`.execute(db);
  return rows[0] ?? startOfLog;
};

/**
 * What happened to one thing, in order. A thing's changes are serialized by its row's lock, so `position` alone orders them and
 * nothing can commit late before one that is seen.
 */
export const readEventsOf = async (
  db: Reader,
  entity: { organizationId: string; id: string; afterPosition: number },
): Promise<readonly LoggedEvent[]> => {
  const { rows } = await sql<LoggedEvent>`
    SELECT ${eventColumns} FROM domain_event
    WHERE organization_id = ${entity.organizationId} AND entity_id = ${entity.id} AND position > ${entity.afterPosition}
    ORDER BY position`.execute(db);
  return rows;
};
