import { sql } from 'kysely';
import type { Database } from '../../platform/db/client.ts';

/** Adds to what was counted of each, by export id, in one statement. Of one that has ended it no longer matters. */
export const addStatusPolls = async (db: Database, polls: ReadonlyMap<string, number>): Promise<void> => {
  if (polls.size === 0) return;
  const counted = [...polls].map(([id, count]) => ({ id, count }));
  // Locked in the order of their ids, as by everybody who locks several.
  await sql`
    WITH polled AS MATERIALIZED (
      SELECT export.id, counted.count FROM jsonb_to_recordset(${JSON.stringify(counted)}::jsonb) AS counted (id uuid, count int)
      JOIN export ON export.id = counted.id
      WHERE export.status IN ('queued', 'started') ORDER BY export.id FOR NO KEY UPDATE OF export
    )
    UPDATE export SET status_polls = status_polls + polled.count FROM polled WHERE export.id = polled.id`.execute(
    db,
  );
};
