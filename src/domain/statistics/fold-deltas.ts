import { sql } from 'kysely';
import { statMeasures } from '../../core/statistics-sums.ts';
import type { Database, Tx } from '../../platform/db/client.ts';

/** Deltas that one transaction moves: about a second of work, and that is all a killed one loses. */
const batchSize = 20_000;

const names = (list: readonly string[]) => sql.raw(list.join(', '));
const sums = (list: readonly string[]) => sql.raw(list.map((name) => `sum(${name})`).join(', '));
const added = (table: string, list: readonly string[]) =>
  sql.raw(list.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(', '));

const hourMeasures = ['accepted', 'completed', 'failed'] as const;

/**
 * Moves what the triggers have inserted into the aggregates, until little is left; returns how many deltas. May run anywhere, any
 * time, many at once (one does the work, the others return 0), and may be killed: each batch is one transaction, so that a delta is
 * either still there or in every aggregate. Answers are exact without it, only slower the more has piled up.
 */
export const foldDeltas = async (db: Database): Promise<number> => {
  let total = 0;
  for (;;) {
    const moved = await db.transaction().execute(foldBatch);
    total += moved;
    if (moved < batchSize) return total;
  }
};

const foldBatch = async (tx: Tx): Promise<number> => {
  const { rows: locks } = await sql<{ free: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtext('rendermill:fold-statistics')) AS free`.execute(tx);
  if (!locks[0]?.free) return 0;
  const { rows } = await sql<{ moved: number }>`
    WITH moved AS (
      DELETE FROM export_stat_delta
      WHERE ctid = ANY (ARRAY(SELECT ctid FROM export_stat_delta LIMIT ${batchSize}))
      RETURNING *
    ), sums AS (
      INSERT INTO export_stat
        (organization_id, scope, period, scope_id, starts, format, ${names(statMeasures)}, last_export_at)
      SELECT organization_id, scope, period, scope_id, starts, format, ${sums(statMeasures)}, max(last_export_at)
      FROM moved CROSS JOIN LATERAL (VALUES
        ('user', 'day', user_id, day),
        ('user', 'all', user_id, date '-infinity'),
        ('project', 'day', project_id, day),
        ('project', 'all', project_id, date '-infinity'),
        ('organization', 'day', '', day),
        ('organization', 'month', '', date_trunc('month', day::timestamp)::date),
        ('organization', 'all', '', date '-infinity')
      ) AS place (scope, period, scope_id, starts)
      GROUP BY organization_id, scope, period, scope_id, starts, format
      ON CONFLICT (organization_id, scope, period, scope_id, starts, format)
        DO UPDATE SET ${added('export_stat', statMeasures)},
          last_export_at = greatest(export_stat.last_export_at, excluded.last_export_at)
    ), hours AS (
      INSERT INTO export_hour_stat (organization_id, day, hour, ${names(hourMeasures)})
      SELECT organization_id, day, hour, ${sums(hourMeasures)} FROM moved GROUP BY organization_id, day, hour
      ON CONFLICT (organization_id, day, hour) DO UPDATE SET ${added('export_hour_stat', hourMeasures)}
    ), activity AS (
      INSERT INTO export_active_month (organization_id, scope, month, scope_id, days)
      SELECT organization_id, scope, date_trunc('month', day::timestamp)::date, scope_id,
        bit_or(1 << extract(day FROM day)::integer - 1)
      FROM moved CROSS JOIN LATERAL (VALUES ('user', user_id), ('project', project_id)) AS place (scope, scope_id)
      WHERE accepted > 0
      GROUP BY organization_id, scope, date_trunc('month', day::timestamp)::date, scope_id
      ON CONFLICT (organization_id, scope, month, scope_id)
        DO UPDATE SET days = export_active_month.days | excluded.days
    )
    SELECT count(*) AS moved FROM moved`.execute(tx);
  return rows[0]?.moved ?? 0;
};
