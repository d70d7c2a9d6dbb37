import { sql } from 'kysely';
import type { EventUse } from '../../core/projection/page.ts';
import type { PersonState } from '../../core/projection/person-state.ts';
import { prepared, type Tx } from '../../platform/db/client.ts';

/** Rows whole, as the plan has them: they were locked when they were read, and only the projector makes new ones. */
export const saveUses = async (tx: Tx, uses: readonly EventUse[]): Promise<void> => {
  if (uses.length === 0) return;
  await sql`${prepared}
    INSERT INTO event_use (organization_id, event_name, user_id, uses, first_at)
    SELECT "organizationId", event, "userId", uses, "firstAt" FROM jsonb_to_recordset(${JSON.stringify(uses)}::jsonb) AS row (
      "organizationId" text, event text, "userId" text, uses bigint, "firstAt" timestamptz)
    ON CONFLICT (organization_id, user_id, event_name) DO UPDATE SET uses = excluded.uses`.execute(tx);
};

export const savePeople = async (tx: Tx, people: readonly PersonState[]): Promise<void> => {
  if (people.length === 0) return;
  await sql`${prepared}
    INSERT INTO person_activity (organization_id, person_kind, person_id, first_seen_at, last_seen_at, returned_at,
      uploaded_in_return, first_session_jobs, last_upload_at, cta_clicked_at, credits_granted_at, upload_viewed_at, landed_at)
    SELECT "organizationId", kind, id, "firstSeenAt", "lastSeenAt", "returnedAt", "uploadedInReturn", "firstSessionJobs",
      "lastUploadAt", "ctaClickedAt", "creditsGrantedAt", "uploadViewedAt", "landedAt"
    FROM jsonb_to_recordset(${JSON.stringify(people)}::jsonb) AS row (
      "organizationId" text, kind text, id text, "firstSeenAt" timestamptz, "lastSeenAt" timestamptz,
      "returnedAt" timestamptz, "uploadedInReturn" boolean, "firstSessionJobs" int, "lastUploadAt" timestamptz,
      "ctaClickedAt" timestamptz, "creditsGrantedAt" timestamptz, "uploadViewedAt" timestamptz, "landedAt" timestamptz)
    ON CONFLICT (organization_id, person_kind, person_id) DO UPDATE SET
      first_seen_at = excluded.first_seen_at, last_seen_at = excluded.last_seen_at, returned_at = excluded.returned_at,
      uploaded_in_return = excluded.uploaded_in_return, first_session_jobs = excluded.first_session_jobs,
      last_upload_at = excluded.last_upload_at, cta_clicked_at = excluded.cta_clicked_at,
      credits_granted_at = excluded.credits_granted_at, upload_viewed_at = excluded.upload_viewed_at,
      landed_at = excluded.landed_at`.execute(tx);
};
