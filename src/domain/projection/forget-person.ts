import { sql } from 'kysely';
import type { Tx } from '../../platform/db/client.ts';

/** Removes what is kept of a user and of its visitors; what the whole organization did stays counted. The milestones are not here. */
export const forgetPerson = async (
  tx: Tx,
  organizationId: string,
  person: { readonly userId: string | null; readonly distinctIds: readonly string[] },
): Promise<void> => {
  // Locked in the projector's order, so that the two never wait for each other.
  if (person.userId) {
    const uses = sql`organization_id = ${organizationId} AND user_id = ${person.userId}`;
    await sql`SELECT 1 FROM event_use WHERE ${uses} ORDER BY event_name FOR UPDATE`.execute(tx);
    await sql`DELETE FROM event_use WHERE ${uses}`.execute(tx);
  }
  const activity = sql`organization_id = ${organizationId} AND (
    (person_kind = 'user' AND person_id = ${person.userId ?? ''})
    OR (person_kind = 'visitor' AND person_id = ANY (${[...person.distinctIds]}::text[])))`;
  await sql`SELECT 1 FROM person_activity WHERE ${activity} ORDER BY person_kind, person_id FOR UPDATE`.execute(
    tx,
  );
  await sql`DELETE FROM person_activity WHERE ${activity}`.execute(tx);
};
