import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import type { Tx } from '../../platform/db/client.ts';
import { type Person, voidPermissions } from './consent-rows.ts';
import { keyOf } from './person-key.ts';

/** An `account_deleted` event, and whom it means. */
export interface Deletion {
  readonly organizationId: string;
  /** The event's, and the request's. */
  readonly id: string;
  readonly position: number;
  readonly deletedAt: Date;
  readonly userId: string | null;
  /** The visitor that the event itself names, unless it is another user's. */
  readonly distinctId: string | null;
}

const newPseudonym = (): string => `erased-${randomBytes(16).toString('hex')}`;

/** The page may be read twice, and an event may be replayed: the first time counts. */
const insertRequests = async (tx: Tx, deletions: readonly Deletion[], now: Date): Promise<Deletion[]> => {
  const rows = deletions.map((one) => ({ ...one, pseudonym: newPseudonym() }));
  const inserted = await sql<{ organizationId: string; id: string }>`
    INSERT INTO erasure_request (organization_id, id, pseudonym, user_id, up_to_position, up_to_xid, deleted_at,
      requested_at, next_at)
    SELECT "organizationId", id, pseudonym, "userId", position, pg_current_xact_id(), "deletedAt",
      ${now}::timestamptz, ${now}::timestamptz
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS row (
      "organizationId" text, id uuid, pseudonym text, "userId" text, position bigint, "deletedAt" timestamptz)
    ON CONFLICT DO NOTHING RETURNING organization_id AS "organizationId", id`.execute(tx);
  const ids = new Set(inserted.rows.map((row) => keyOf(row.organizationId, row.id)));
  return deletions.filter((one) => ids.has(keyOf(one.organizationId, one.id)));
};

interface VisitorOfUser {
  readonly organizationId: string;
  readonly userId: string;
  readonly distinctId: string;
}

const removeLinks = async (tx: Tx, deletions: readonly Deletion[]): Promise<VisitorOfUser[]> => {
  const { rows } = await sql<VisitorOfUser>`
    DELETE FROM identity_link WHERE (organization_id, user_id) IN (
      SELECT * FROM unnest(${deletions.map((one) => one.organizationId)}::text[], ${deletions.map((one) => one.userId)}::text[]))
    RETURNING organization_id AS "organizationId", user_id AS "userId", distinct_id AS "distinctId"`.execute(
    tx,
  );
  return rows;
};

const removeVisitors = async (tx: Tx, visitors: readonly Person[]): Promise<void> => {
  await sql`
    DELETE FROM visitor WHERE (organization_id, distinct_id) IN (SELECT * FROM unnest(
      ${visitors.map((one) => one.organizationId)}::text[], ${visitors.map((one) => one.id)}::text[]))`.execute(
    tx,
  );
};

/** Of a person who is being forgotten: what late events of before the deletion have made again. */
export const forgetVisitors = async (
  tx: Tx,
  organizationId: string,
  distinctIds: readonly string[],
  deletedAt: Date,
): Promise<void> => {
  if (distinctIds.length === 0) return;
  await tx
    .deleteFrom('visitor')
    .where('organization_id', '=', organizationId)
    .where('distinct_id', 'in', [...distinctIds])
    .where('first_seen_at', '<=', deletedAt)
    .execute();
};

const peopleOf = (deletion: Deletion, distinctIds: readonly string[]): Person[] => {
  const { organizationId, userId } = deletion;
  return [
    ...distinctIds.map((id) => ({ organizationId, kind: 'visitor' as const, id })),
    ...(userId === null ? [] : [{ organizationId, kind: 'user' as const, id: userId }]),
  ];
};

/**
 * From here on the person is nobody's: its visitors are nobody's visitors, and what it allowed is void. `eraseStep` does the rest; the
 * request keeps who it was until then.
 */
export const openErasures = async (tx: Tx, deletions: readonly Deletion[], now: Date): Promise<void> => {
  if (deletions.length === 0) return;
  const opened = await insertRequests(tx, deletions, now);
  if (opened.length === 0) return;
  const links = await removeLinks(tx, opened);
  const withVisitors = opened.map((deletion) => {
    const linked = links.filter(
      (one) => one.organizationId === deletion.organizationId && one.userId === deletion.userId,
    );
    const own = deletion.distinctId === null ? [] : [deletion.distinctId];
    return { ...deletion, distinctIds: [...new Set([...linked.map((one) => one.distinctId), ...own])] };
  });
  await sql`
    UPDATE erasure_request e SET distinct_ids = ARRAY(SELECT jsonb_array_elements_text(row."distinctIds"))
    FROM jsonb_to_recordset(${JSON.stringify(withVisitors)}::jsonb) AS row (
      "organizationId" text, id uuid, "distinctIds" jsonb)
    WHERE e.organization_id = row."organizationId" AND e.id = row.id`.execute(tx);
  const people = withVisitors.flatMap((one) => peopleOf(one, one.distinctIds));
  await removeVisitors(
    tx,
    people.filter((one) => one.kind === 'visitor'),
  );
  await voidPermissions(tx, people);
};
