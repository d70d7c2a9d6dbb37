/** Takes a person out of the log: behaviour is deleted, business stays without saying whose it was. */
import { sql } from 'kysely';
import type { EventSource, RetentionClass } from '../../core/events/define-event.ts';
import { mentions, withoutPerson } from '../../core/identity/without-person.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';

export interface ErasedPerson {
  readonly organizationId: string;
  readonly userId: string | null;
  readonly distinctIds: readonly string[];
  /** What replaces the person. */
  readonly pseudonym: string;
  /** The last event of the person, the transaction in which the projector met it, and when it happened. */
  readonly upToPosition: number;
  readonly upToXid: string;
  readonly deletedAt: Date;
  /** The account_deleted event, which is not among these: sinks still have to hear of it. */
  readonly deletionId: string;
}

/**
 * Events of the user, and of its visitors where they carry no user: those of another user stay. Up to the deletion, with what
 * happened earlier and came late; what the projector concludes has the time of its cause.
 */
const isOfPerson = (person: ErasedPerson) => sql`
  e.organization_id = ${person.organizationId}
  AND (e.user_id = ${person.userId} OR (e.user_id IS NULL AND (e.distinct_id = ANY(${[...person.distinctIds]}::text[])
    OR (e.entity_type = 'user' AND e.entity_id = ${person.userId}))))
  AND (e.position <= ${person.upToPosition}::bigint OR e.xid = ${person.upToXid}::xid8
    OR e.occurred_at < ${person.deletedAt}::timestamptz)`;

/** Ids of some that are left. The projector must have met them: only then their deliveries are there to be skipped. */
export const findEventsToErase = async (
  db: Reader,
  person: ErasedPerson,
  limit: number,
): Promise<readonly string[]> => {
  const { rows } = await sql<{ id: string }>`
    SELECT e.id FROM domain_event e
    WHERE ${isOfPerson(person)} AND e.id <> ${person.deletionId}::uuid AND e.derived IS NOT NULL LIMIT ${limit}`.execute(
    db,
  );
  return rows.map((row) => row.id);
};

/** False while an event of the person is left, or a transaction is open that may yet commit one. */
export const isErased = async (db: Reader, person: ErasedPerson): Promise<boolean> => {
  const { rows } = await sql<{ erased: boolean }>`
    SELECT pg_snapshot_xmin(pg_current_snapshot()) > ${person.upToXid}::xid8 AND NOT EXISTS (
      SELECT FROM domain_event e WHERE ${isOfPerson(person)} AND e.id <> ${person.deletionId}::uuid) AS erased`.execute(
    db,
  );
  return rows[0]?.erased ?? false;
};

interface RecordedRow {
  readonly id: string;
  readonly event: string;
  readonly source: EventSource;
  readonly distinctId: string | null;
  readonly sessionId: string | null;
  readonly entityType: string | null;
  readonly entityId: string | null;
  readonly correlationId: string | null;
  readonly retentionClass: RetentionClass;
  readonly properties: Record<string, unknown>;
  readonly derived: Record<string, unknown> | null;
}

const lockEvents = async (
  tx: Tx,
  person: ErasedPerson,
  ids: readonly string[],
): Promise<readonly RecordedRow[]> => {
  const { rows } = await sql<RecordedRow>`
    SELECT id, event_name AS event, source, distinct_id AS "distinctId", session_id AS "sessionId", entity_type AS "entityType",
      entity_id AS "entityId", correlation_id AS "correlationId", retention_class AS "retentionClass", properties, derived
    FROM domain_event e WHERE e.id = ANY(${[...ids]}::uuid[]) AND ${isOfPerson(person)}
    ORDER BY e.id FOR UPDATE`.execute(tx);
  return rows;
};

const deleteEvents = async (tx: Tx, person: ErasedPerson, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return;
  await sql`DELETE FROM domain_event e WHERE e.id = ANY(${[...ids]}::uuid[]) AND ${isOfPerson(person)}`.execute(
    tx,
  );
};

/** Things of ours, whose ids we make. What a tenant names (an order, a user, a customer) leads back to the person. */
const ownTypes: ReadonlySet<string> = new Set(['export', 'batch', 'webhook']);

const nameless = (row: RecordedRow, person: ErasedPerson) => {
  const { id, event, source, entityType, entityId, correlationId, properties, derived } = row;
  const ids = [person.userId, ...person.distinctIds, row.distinctId, row.sessionId].filter(
    (one) => one !== null,
  );
  const leadsBack = entityId !== null && (mentions(entityId, ids) || !ownTypes.has(entityType ?? ''));
  return {
    id,
    entity_id: leadsBack ? person.pseudonym : entityId,
    correlation_id: correlationId !== null && mentions(correlationId, ids) ? null : correlationId,
    properties: withoutPerson({ event, source, values: properties }, ids),
    derived: derived === null ? null : withoutPerson({ event, source, values: derived }, ids),
  };
};

const pseudonymise = async (tx: Tx, person: ErasedPerson, rows: readonly RecordedRow[]): Promise<void> => {
  if (rows.length === 0) return;
  const values = rows.map((row) => nameless(row, person));
  await sql`
    UPDATE domain_event e SET
      user_id = CASE WHEN e.user_id IS NULL THEN NULL ELSE ${person.pseudonym} END,
      distinct_id = CASE WHEN e.distinct_id IS NULL THEN NULL ELSE ${person.pseudonym} END,
      session_id = NULL, context = '{}', entity_id = row.entity_id, correlation_id = row.correlation_id,
      properties = row.properties, derived = row.derived
    FROM jsonb_to_recordset(${JSON.stringify(values)}::jsonb) AS row (
      id uuid, entity_id text, correlation_id text, properties jsonb, derived jsonb)
    WHERE e.id = row.id AND ${isOfPerson(person)}`.execute(tx);
};

/** Erases those of the given ids that are the person's. Deliveries are the caller's to skip, before this: they are locked first everywhere. */
export const eraseEvents = async (
  tx: Tx,
  person: ErasedPerson,
  ids: readonly string[],
): Promise<{ deleted: number; pseudonymised: number }> => {
  const rows = await lockEvents(tx, person, ids);
  const behaviour = rows.filter((row) => row.retentionClass === 'behaviour');
  const business = rows.filter((row) => row.retentionClass === 'business');
  await deleteEvents(
    tx,
    person,
    behaviour.map((row) => row.id),
  );
  await pseudonymise(tx, person, business);
  return { deleted: behaviour.length, pseudonymised: business.length };
};

/** Whether the event is met by the projector, and no sink waits for it any more. */
export const hasLeft = async (db: Reader, organizationId: string, id: string): Promise<boolean> => {
  const { rows } = await sql<{ left: boolean }>`
    SELECT NOT EXISTS (SELECT FROM domain_event WHERE id = ${id}::uuid AND organization_id = ${organizationId}
      AND (derived IS NULL OR open_deliveries > 0)) AS left`.execute(db);
  return rows[0]?.left ?? true;
};
