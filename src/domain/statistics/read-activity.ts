/** When an organization is busy, and how many of its users and projects were. */
import { sql } from 'kysely';
import { monthsOf, type StatWindow } from '../../core/statistics-window.ts';
import type { Reader } from '../../platform/db/client.ts';

export interface HourSums {
  /** 0 to 23. */
  readonly hour: number;
  readonly accepted: number;
  readonly completed: number;
  readonly failed: number;
}

/** Over all days of the window; hours without exports are absent. */
export const readHours = async (
  db: Reader,
  organizationId: string,
  { from, until }: StatWindow,
): Promise<readonly HourSums[]> => {
  const { rows } = await sql<HourSums>`
    SELECT hour, sum(accepted)::bigint AS accepted, sum(completed)::bigint AS completed, sum(failed)::bigint AS failed
    FROM (
      SELECT hour, accepted, completed, failed FROM export_hour_stat
      WHERE organization_id = ${organizationId} AND day BETWEEN ${from}::date AND ${until}::date
      UNION ALL SELECT hour, accepted, completed, failed FROM export_stat_delta
      WHERE organization_id = ${organizationId} AND day BETWEEN ${from}::date AND ${until}::date
    ) AS every GROUP BY hour ORDER BY hour`.execute(db);
  return rows;
};

/** Those with an export that was accepted in the window. */
export const countActive = async (
  db: Reader,
  organizationId: string,
  scope: 'user' | 'project',
  window: StatWindow,
): Promise<number> => {
  const months = monthsOf(window);
  const [first, last] = [months[0], months.at(-1)];
  if (first === undefined || last === undefined) return 0;
  const { rows } = await sql<{ active: number }>`
    SELECT count(*) AS active FROM (
      SELECT scope_id FROM export_active_month
      WHERE organization_id = ${organizationId} AND scope = ${scope}
        AND month BETWEEN ${first.month}::date AND ${last.month}::date
        AND days & CASE month WHEN ${first.month}::date THEN ${first.days}::integer
          WHEN ${last.month}::date THEN ${last.days}::integer ELSE -1 END <> 0
      UNION SELECT ${sql.ref(`${scope}_id`)} FROM export_stat_delta
      WHERE organization_id = ${organizationId} AND accepted > 0
        AND day BETWEEN ${window.from}::date AND ${window.until}::date
    ) AS anyone`.execute(db);
  return rows[0]?.active ?? 0;
};
