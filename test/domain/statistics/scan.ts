/** What the statistics must say, counted the slow way: over every export and its file. */
import { sql } from 'kysely';
import { type StatSums, statMeasures } from '../../../src/core/statistics-sums.ts';
import type { Reader } from '../../../src/platform/db/client.ts';

export interface ScannedGroup extends StatSums {
  readonly user_id: string;
  readonly project_id: string;
  readonly day: string;
  readonly hour: number;
  readonly format: string;
  readonly last_export_at: Date;
}

/** One row for each user, project, day, hour and format. */
export const scanExports = async (db: Reader, organizationId: string): Promise<readonly ScannedGroup[]> => {
  const { rows } = await sql<ScannedGroup>`
    SELECT user_id, project_id, charged_day AS day, charged_hour AS hour, format,
      count(*) AS accepted,
      count(*) FILTER (WHERE status = 'completed') AS completed,
      count(*) FILTER (WHERE status = 'failed') AS failed,
      count(*) FILTER (WHERE status = 'canceled') AS canceled,
      count(*) FILTER (WHERE status = 'completed' AND cached) AS cached,
      count(duration) FILTER (WHERE status = 'completed') AS footage_count,
      coalesce(sum(round(duration * 1e6)) FILTER (WHERE status = 'completed'), 0)::bigint AS footage_us,
      count(render_ms) FILTER (WHERE status = 'completed' AND NOT cached) AS render_count,
      coalesce(sum(round(render_ms * 1e3)) FILTER (WHERE status = 'completed' AND NOT cached), 0)::bigint AS render_us,
      coalesce(sum(size_in_bytes), 0)::bigint AS bytes,
      max(export.created_at) AS last_export_at
    FROM export LEFT JOIN artifact ON artifact.export_id = export.id
    WHERE export.organization_id = ${organizationId}
    GROUP BY user_id, project_id, charged_day, charged_hour, format`.execute(db);
  return rows;
};

/** Sums of the groups by what `keyOf` says, without those in which nothing was counted. */
export const sumBy = <Row extends StatSums>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
): Record<string, StatSums> => {
  const groups: Record<string, Record<keyof StatSums, number>> = {};
  for (const row of rows) {
    const key = keyOf(row);
    groups[key] ??= Object.fromEntries(statMeasures.map((name) => [name, 0])) as Record<
      keyof StatSums,
      number
    >;
    for (const name of statMeasures) groups[key][name] += row[name];
  }
  return groups;
};
