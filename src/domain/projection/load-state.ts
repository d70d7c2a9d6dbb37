import { sql } from 'kysely';
import { countKey } from '../../core/projection/count-uses.ts';
import type { AccountId, NeededState, PersonId, UseId } from '../../core/projection/needed-state.ts';
import { accountKey, type EventUse, personKey } from '../../core/projection/page.ts';
import type { AccountState, PersonState } from '../../core/projection/person-state.ts';
import type { LoadedState } from '../../core/projection/plan-page.ts';
import { prepared, type Tx } from '../../platform/db/client.ts';

/**
 * The rows behind a page, with one statement per table. Those that will be written are locked: a person who is being forgotten in
 * the same moment is either gone before, and begins anew, or is forgotten after.
 */
export const loadState = async (tx: Tx, needed: NeededState): Promise<LoadedState> => ({
  uses: await loadUses(tx, needed.uses),
  people: await loadPeople(tx, needed.people),
  accounts: await loadAccounts(tx, needed.accounts),
});

const loadUses = async (tx: Tx, ids: readonly UseId[]): Promise<ReadonlyMap<string, EventUse>> => {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<EventUse>`${prepared}
    SELECT organization_id AS "organizationId", event_name AS event, user_id AS "userId", uses, first_at AS "firstAt"
    FROM event_use JOIN jsonb_to_recordset(${JSON.stringify(ids)}::jsonb) AS id (
      "organizationId" text, event text, "userId" text)
      ON organization_id = id."organizationId" AND event_name = id.event AND user_id = id."userId"
    ORDER BY organization_id, user_id, event_name FOR UPDATE OF event_use`.execute(tx);
  return new Map(rows.map((row) => [countKey(row), row]));
};

const loadPeople = async (tx: Tx, ids: readonly PersonId[]): Promise<ReadonlyMap<string, PersonState>> => {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<PersonState>`${prepared}
    SELECT organization_id AS "organizationId", person_kind AS kind, person_id AS id,
      first_seen_at AS "firstSeenAt", last_seen_at AS "lastSeenAt", returned_at AS "returnedAt",
      uploaded_in_return AS "uploadedInReturn", first_session_jobs AS "firstSessionJobs",
      last_upload_at AS "lastUploadAt", cta_clicked_at AS "ctaClickedAt", credits_granted_at AS "creditsGrantedAt",
      upload_viewed_at AS "uploadViewedAt", landed_at AS "landedAt"
    FROM person_activity JOIN jsonb_to_recordset(${JSON.stringify(ids)}::jsonb) AS who (
      "organizationId" text, kind text, id text)
      ON organization_id = who."organizationId" AND person_kind = who.kind AND person_id = who.id
    ORDER BY organization_id, person_kind, person_id FOR UPDATE OF person_activity`.execute(tx);
  return new Map(rows.map((row) => [personKey(row), row]));
};

const loadAccounts = async (
  tx: Tx,
  ids: readonly AccountId[],
): Promise<ReadonlyMap<string, AccountState>> => {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<AccountState & AccountId>`${prepared}
    SELECT who."organizationId", who."userId", end_user.created_at AS "createdAt", login.reached_at AS "firstLoginAt",
      activation.reached_at AS "activatedAt"
    FROM jsonb_to_recordset(${JSON.stringify(ids)}::jsonb) AS who ("organizationId" text, "userId" text)
    LEFT JOIN end_user ON end_user.organization_id = who."organizationId" AND end_user.id = who."userId"
    LEFT JOIN user_milestone login ON login.organization_id = who."organizationId" AND login.user_id = who."userId"
      AND login.name = 'first_login'
    LEFT JOIN user_milestone activation ON activation.organization_id = who."organizationId"
      AND activation.user_id = who."userId" AND activation.name = 'activation_complete'`.execute(tx);
  return new Map(
    rows.map(({ organizationId, userId, ...state }) => [accountKey(organizationId, userId), state]),
  );
};
