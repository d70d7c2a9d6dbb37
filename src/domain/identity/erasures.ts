/** Requests to forget a person, and how far they are. */
import { type Selectable, sql, type Updateable } from 'kysely';
import type { Reader, Tx } from '../../platform/db/client.ts';
import { decodePlace, encodePlace } from '../../platform/db/page-place.ts';
import type { ErasureRequestTable } from '../../platform/db/schema-events.ts';
import type { ErasedPerson } from '../events/erase-events.ts';
import { forgetConsent } from './consent-rows.ts';

export type Erasure = Selectable<ErasureRequestTable>;

/** The one that has waited longest, held until the end of the transaction; several callers get different ones. */
export const takeErasure = (tx: Tx, now: Date): Promise<Erasure | undefined> =>
  tx
    .selectFrom('erasure_request')
    .selectAll()
    .where('done_at', 'is', null)
    .where('next_at', '<=', now)
    .where('posthog_state', 'is distinct from', 'failed')
    .orderBy('next_at')
    .limit(1)
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();

export const erasedPerson = (erasure: Erasure): ErasedPerson => ({
  organizationId: erasure.organization_id,
  userId: erasure.user_id,
  distinctIds: erasure.distinct_ids,
  pseudonym: erasure.pseudonym,
  upToPosition: erasure.up_to_position,
  upToXid: erasure.up_to_xid,
  deletedAt: erasure.deleted_at,
  deletionId: erasure.id,
});

type Change = Updateable<ErasureRequestTable>;

const updateErasure = (tx: Tx, { organization_id, id }: Pick<Erasure, 'organization_id' | 'id'>) =>
  tx.updateTable('erasure_request').where('organization_id', '=', organization_id).where('id', '=', id);

export const changeErasure = async (tx: Tx, erasure: Erasure, change: Change): Promise<void> => {
  await updateErasure(tx, erasure).set(change).execute();
};

export const countErased = async (
  tx: Tx,
  erasure: Erasure,
  counts: { deleted: number; pseudonymised: number },
): Promise<void> => {
  await updateErasure(tx, erasure)
    .set((row) => ({
      events_deleted: row('events_deleted', '+', counts.deleted),
      events_pseudonymised: row('events_pseudonymised', '+', counts.pseudonymised),
    }))
    .execute();
};

/** Nothing of ours needs to know any more who it was. */
export const closeErasure = async (
  tx: Tx,
  erasure: Erasure,
  posthogState: 'not_configured' | 'done',
  now: Date,
): Promise<void> => {
  const people = [
    ...(erasure.user_id === null ? [] : [{ kind: 'user' as const, id: erasure.user_id }]),
    ...erasure.distinct_ids.map((id) => ({ kind: 'visitor' as const, id })),
  ];
  await forgetConsent(
    tx,
    people.map((person) => ({ organizationId: erasure.organization_id, ...person })),
    erasure.requested_at,
  );
  await changeErasure(tx, erasure, {
    posthog_state: posthogState,
    user_id: null,
    distinct_ids: [],
    done_at: now,
  });
};

/** PostHog is asked once more where it was given up. Says whether there was such a request. */
export const retryErasure = async (
  tx: Tx,
  organizationId: string,
  id: string,
  now: Date,
): Promise<boolean> => {
  const { numUpdatedRows } = await updateErasure(tx, { organization_id: organizationId, id })
    .where('posthog_state', '=', 'failed')
    .set({ posthog_state: 'waiting', next_at: now })
    .executeTakeFirst();
  return numUpdatedRows > 0n;
};

/** For the answer to one question that was asked without holding the row: the number of the attempt says that it is still ours. */
export const holdAttempt = (tx: Tx, erasure: Erasure): Promise<Erasure | undefined> =>
  tx
    .selectFrom('erasure_request')
    .selectAll()
    .where('organization_id', '=', erasure.organization_id)
    .where('id', '=', erasure.id)
    .where('posthog_attempts', '=', erasure.posthog_attempts)
    .where('done_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();

export const findErasure = (db: Reader, organizationId: string, id: string): Promise<Erasure | undefined> =>
  db
    .selectFrom('erasure_request')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('id', '=', id)
    .executeTakeFirst();

/** Whether the event is in the log that the projector will make a request of. */
export const isErasureAsked = async (db: Reader, organizationId: string, id: string): Promise<boolean> => {
  const row = await db
    .selectFrom('domain_event')
    .select('id')
    .where('id', '=', id)
    .where('organization_id', '=', organizationId)
    .where('event_name', '=', 'account_deleted')
    .where('source', '<>', 'web')
    .executeTakeFirst();
  return row !== undefined;
};

/** Newest first. */
export const listErasures = async (
  db: Reader,
  organizationId: string,
  page: { limit: number; cursor?: string | undefined },
): Promise<{ erasures: readonly Erasure[]; nextCursor: string | null }> => {
  const after = page.cursor === undefined ? undefined : decodePlace(page.cursor);
  const { rows } = await sql<Erasure & { micros: string }>`
    SELECT *, (extract(epoch FROM requested_at) * 1000000)::bigint::text AS micros FROM erasure_request
    WHERE organization_id = ${organizationId} ${
      after === undefined
        ? sql``
        : sql`AND (requested_at, id) < (timestamptz 'epoch' + ${after.micros}::bigint * interval '1 microsecond', ${after.id}::uuid)`
    }
    ORDER BY requested_at DESC, id DESC LIMIT ${page.limit + 1}`.execute(db);
  const erasures = rows.slice(0, page.limit);
  const last = erasures.at(-1);
  return { erasures, nextCursor: rows.length > page.limit && last ? encodePlace(last) : null };
};
