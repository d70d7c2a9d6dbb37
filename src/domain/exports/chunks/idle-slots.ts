import { sql } from 'kysely';
import type { Reader } from '../../../platform/db/client.ts';
import { liveCapacity } from '../workers.ts';

/**
 * Render slots of all workers that nobody needs now, the asker's own included: what is at work elsewhere, planned or in line has the
 * others. Local work only. Never less than 1.
 */
export const idleSlots = async (db: Reader): Promise<number> => {
  const capacity = await liveCapacity(db);
  const { rows } = await sql<{ wanted: number }>`
    SELECT (
      SELECT count(DISTINCT coalesce(group_id, id)) FROM (
        SELECT group_id, id FROM export
        WHERE render_mode = 'local' AND status IN ('queued', 'started') AND (chunks IS NULL OR chunks_done = chunks)
        LIMIT ${capacity + 1}
      ) AS line
    ) + (SELECT count(*) FROM render_chunk WHERE status <> 'done') AS wanted`.execute(db);
  const others = Number(rows[0]?.wanted ?? 1) - 1;
  return Math.max(1, capacity - others);
};
