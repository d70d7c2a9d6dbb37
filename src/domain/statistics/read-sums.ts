/**
 * Sums of a user, a project or a whole organization: what is folded plus what is not yet. Each function is one statement, so exact
 * by itself; several agree with each other in one `repeatable read` transaction.
 */
import { type RawBuilder, sql } from 'kysely';
import type { OutputFormat } from '../../core/output.ts';
import { type StatPeriod, type StatScope, type StatSums, statMeasures } from '../../core/statistics-sums.ts';
import type { StatWindow } from '../../core/statistics-window.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';

/** Whose exports. */
export interface StatKey {
  readonly organizationId: string;
  readonly scope: StatScope;
  /** Of the user or the project; empty for the organization. */
  readonly scopeId: string;
}

export interface FormatSums extends StatSums {
  readonly format: OutputFormat;
}

/** All that is read in it is of one moment. */
export const inSnapshot = <T>(db: Database, read: (tx: Tx) => Promise<T>): Promise<T> =>
  db.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(read);

const measures = sql.raw(statMeasures.join(', '));
const sums = sql.raw(statMeasures.map((name) => `sum(${name})::bigint AS ${name}`).join(', '));

const deltasOf = ({ organizationId, scope, scopeId }: StatKey): RawBuilder<unknown> => {
  const whose = {
    user: sql`AND user_id = ${scopeId}`,
    project: sql`AND project_id = ${scopeId}`,
    organization: sql``,
  };
  return sql`export_stat_delta WHERE organization_id = ${organizationId} ${whose[scope]}`;
};

const folded = ({ organizationId, scope, scopeId }: StatKey, period: StatPeriod): RawBuilder<unknown> =>
  sql`export_stat WHERE organization_id = ${organizationId} AND scope = ${scope} AND period = ${period}
    AND scope_id = ${scopeId}`;

export interface Totals {
  /** Those never used are absent. */
  readonly formats: readonly FormatSums[];
  /** When the newest of the accepted exports was accepted, whatever became of it. */
  readonly lastExportAt: Date | null;
}

/** Of all time. */
export const readTotals = async (db: Reader, key: StatKey): Promise<Totals> => {
  const { rows } = await sql<FormatSums & { last_export_at: Date | null }>`
    SELECT format, ${sums}, max(last_export_at) AS last_export_at FROM (
      SELECT format, ${measures}, last_export_at FROM ${folded(key, 'all')}
      UNION ALL SELECT format, ${measures}, last_export_at FROM ${deltasOf(key)}
    ) AS every GROUP BY format`.execute(db);
  return {
    formats: rows.map(({ last_export_at: _, ...row }) => row),
    lastExportAt: rows.reduce<Date | null>((newest, { last_export_at: at }) => later(newest, at), null),
  };
};

const later = (a: Date | null, b: Date | null): Date | null => (a === null || (b !== null && b > a) ? b : a);

interface WindowRow extends StatSums {
  readonly day: string | null;
  readonly format: OutputFormat | null;
}

/** Both groupings of the window's sums; days and formats without exports are absent. */
export const readWindow = async (
  db: Reader,
  key: StatKey,
  window: StatWindow,
): Promise<{ days: ReadonlyMap<string, StatSums>; formats: readonly FormatSums[] }> => {
  const { rows } = await sql<WindowRow>`
    SELECT day, format, ${sums} FROM (
      SELECT starts AS day, format, ${measures} FROM ${folded(key, 'day')}
        AND starts BETWEEN ${window.from}::date AND ${window.until}::date
      UNION ALL SELECT day, format, ${measures} FROM ${deltasOf(key)}
        AND day BETWEEN ${window.from}::date AND ${window.until}::date
    ) AS every GROUP BY GROUPING SETS ((day), (format))`.execute(db);
  return {
    days: new Map(rows.flatMap(({ day, format: _, ...row }) => (day === null ? [] : [[day, row]]))),
    formats: rows.flatMap(({ format, day: _, ...row }) => (format === null ? [] : [{ format, ...row }])),
  };
};

/** By the first day of the month, from that of `since` on; those without exports are absent. */
export const readMonths = async (
  db: Reader,
  organizationId: string,
  since: string,
): Promise<ReadonlyMap<string, StatSums>> => {
  const key: StatKey = { organizationId, scope: 'organization', scopeId: '' };
  const { rows } = await sql<StatSums & { month: string }>`
    SELECT month, ${sums} FROM (
      SELECT starts AS month, ${measures} FROM ${folded(key, 'month')} AND starts >= ${since}::date
      UNION ALL
      SELECT date_trunc('month', day::timestamp)::date, ${measures} FROM ${deltasOf(key)} AND day >= ${since}::date
    ) AS every GROUP BY month`.execute(db);
  return new Map(rows.map(({ month, ...row }) => [month, row]));
};
