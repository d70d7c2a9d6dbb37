import { sql } from 'kysely';
import type { RenderMode } from '../../core/exports.ts';
import type { InFlight } from '../../core/plan-feed.ts';
import type { Reader } from '../../platform/db/client.ts';

/** Jobs that are in the queue or at a worker. A video whose chunks are being rendered is in flight by them, not by itself. */
export const jobsInFlight = async (db: Reader, mode: RenderMode): Promise<readonly InFlight[]> => {
  const { rows } = await sql<InFlight>`
    SELECT organization_id AS "organizationId", tier, is_interactive AS "isInteractive", count(DISTINCT job)::int AS jobs
    FROM (
      SELECT organization_id, tier, priority = 0 AS is_interactive, coalesce(group_id, id) AS job FROM export
      WHERE status IN ('queued', 'started') AND fed_at IS NOT NULL AND render_mode = ${mode}
        AND (chunks IS NULL OR chunks_done = chunks)
      UNION ALL
      SELECT export.organization_id, tier, priority = 0, render_chunk.id
      FROM render_chunk JOIN export ON export.id = export_id
      WHERE render_chunk.status <> 'done' AND render_chunk.fed_at IS NOT NULL AND render_mode = ${mode}
    ) AS job_in_flight
    GROUP BY 1, 2, 3`.execute(db);
  return rows;
};
