import { sql } from 'kysely';
import type { Reader } from '../../src/platform/db/client.ts';

export interface ExportFigures {
  readonly stills: number;
  readonly videos: number;
  readonly completed: number;
  readonly failed: number;
  readonly canceled: number;
  /** Videos that were rendered by several workers. */
  readonly cut: number;
  /** Of single stills, from the acceptance to the completion; null: there were none. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** Of all exports of the database. */
export const readExportFigures = async (db: Reader): Promise<ExportFigures> => {
  const { rows } = await sql<ExportFigures>`
    WITH taken AS (
      SELECT extract(epoch FROM completed_at - created_at) * 1000 AS ms FROM export
      WHERE status = 'completed' AND kind = 'still' AND batch_id IS NULL
    )
    SELECT count(*) FILTER (WHERE kind = 'still')::int AS stills, count(*) FILTER (WHERE kind = 'video')::int AS videos,
      count(*) FILTER (WHERE status = 'completed')::int AS completed, count(*) FILTER (WHERE status = 'failed')::int AS failed,
      count(*) FILTER (WHERE status = 'canceled')::int AS canceled, count(*) FILTER (WHERE chunks IS NOT NULL)::int AS cut,
      (SELECT round(percentile_cont(0.5) WITHIN GROUP (ORDER BY ms))::int FROM taken) AS "p50Ms",
      (SELECT round(percentile_cont(0.95) WITHIN GROUP (ORDER BY ms))::int FROM taken) AS "p95Ms"
    FROM export`.execute(db);
  const [figures] = rows;
  if (!figures) throw new Error('the figures of the exports could not be read');
  return figures;
};
