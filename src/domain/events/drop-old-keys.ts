import { sql } from 'kysely';
import type { Database } from '../../platform/db/client.ts';
import { inParts } from '../../platform/db/in-parts.ts';

/** How long an event's id is known again: a sender that retries for longer than this would be recorded twice. */
export const eventKeyDays = 30;

export const dropOldEventKeys = async (db: Database, now: Date): Promise<void> => {
  const before = new Date(now.getTime() - eventKeyDays * 24 * 3_600_000);
  await inParts((rows) =>
    sql`DELETE FROM domain_event_key WHERE received_at < ${before} AND ctid = ANY (ARRAY(
      SELECT ctid FROM domain_event_key WHERE received_at < ${before} LIMIT ${rows}))`.execute(db),
  );
};
