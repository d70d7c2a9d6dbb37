import { sql } from 'kysely';
import type { EventSource, RetentionClass } from '../../core/events/define-event.ts';
import { prepared, type Tx } from '../../platform/db/client.ts';

/** One row of the log as it is written; everything about it has been checked. */
export interface LogRow {
  readonly id: string;
  readonly event_name: string;
  readonly occurred_at: Date;
  readonly organization_id: string;
  readonly user_id: string | null;
  readonly distinct_id: string | null;
  readonly session_id: string | null;
  readonly entity_type: string | null;
  readonly entity_id: string | null;
  readonly correlation_id: string | null;
  readonly source: EventSource;
  readonly schema_version: number;
  readonly properties: unknown;
  readonly context: Readonly<Record<string, unknown>>;
  readonly retention_class: RetentionClass;
  /** False where neither the catalog nor the organization knows the name. */
  readonly is_known: boolean;
}

const keyOf = (row: LogRow): string => `${row.organization_id}/${row.id.toLowerCase()}`;

const withoutRepeats = (rows: readonly LogRow[]): (LogRow & { n: number })[] => {
  const seen = new Set<string>();
  return rows.flatMap((row, n) => {
    if (seen.has(keyOf(row))) return [];
    seen.add(keyOf(row));
    return [{ ...row, n }];
  });
};

/**
 * Writes the rows in this order with one statement, and rings for whoever reads the log when the transaction commits. Returns the
 * indexes of those that it wrote: an id that the organization has sent before (within 30 days) is the same event, and is left out.
 */
export const appendEvents = async (tx: Tx, rows: readonly LogRow[]): Promise<ReadonlySet<number>> => {
  if (rows.length === 0) return new Set();
  const written = await sql<{ id: string; organization_id: string }>`${prepared}
    WITH given AS (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(withoutRepeats(rows))}::jsonb) AS row (
        n int, id uuid, event_name text, occurred_at timestamptz, organization_id text, user_id text, distinct_id text,
        session_id text, entity_type text, entity_id text, correlation_id text, source text, schema_version int,
        properties jsonb, context jsonb, retention_class text, is_known boolean)
    ), key AS (
      INSERT INTO domain_event_key (organization_id, event_id, received_at)
      SELECT organization_id, id, now() FROM given ORDER BY organization_id, id
      ON CONFLICT DO NOTHING RETURNING organization_id, event_id
    )
    INSERT INTO domain_event (id, event_name, occurred_at, received_at, organization_id, user_id, distinct_id, session_id,
      entity_type, entity_id, correlation_id, source, environment, schema_version, properties, context, retention_class, is_known)
    SELECT given.id, event_name, occurred_at, now(), given.organization_id, user_id, distinct_id, session_id,
      entity_type, entity_id, correlation_id, source, installation.environment, schema_version, properties, context,
      retention_class, is_known
    FROM given JOIN key ON key.event_id = given.id AND key.organization_id = given.organization_id CROSS JOIN installation
    ORDER BY given.n
    RETURNING id, organization_id, pg_notify('rendermill_event', '')`.execute(tx);
  const keys = new Set(written.rows.map((row) => `${row.organization_id}/${row.id}`));
  return new Set(rows.flatMap((row, n) => (keys.delete(keyOf(row)) ? [n] : [])));
};
