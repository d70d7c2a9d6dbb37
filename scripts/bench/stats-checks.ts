/** What stands beside the times: that the answers are right, what the alternative costs, what counting costs, and the plans. */
import { Kysely, PostgresDialect, type RawBuilder, sql } from 'kysely';
import pg from 'pg';
import { statMeasures } from '../../src/core/statistics-sums.ts';
import { planWindow } from '../../src/core/statistics-window.ts';
import { listExports } from '../../src/domain/exports/list-exports.ts';
import { countActive, readHours } from '../../src/domain/statistics/read-activity.ts';
import { readMonths, readTotals, readWindow, type StatKey } from '../../src/domain/statistics/read-sums.ts';
import type { Database } from '../../src/platform/db/client.ts';
import type { Schema } from '../../src/platform/db/schema.ts';
import { organizationId } from './stats-seed.ts';

/** Every sum of every user, project and day of the aggregates, against a scan of the exports and their files. Throws where one differs. */
export const verify = async (db: Database): Promise<void> => {
  const sums = sql.raw(statMeasures.map((name) => `sum(${name})::bigint AS ${name}`).join(', '));
  const names = sql.raw(statMeasures.join(', '));
  const { rows } = await db.transaction().execute(async (tx) => {
    await sql`SET LOCAL statement_timeout = 0`.execute(tx);
    await sql`SET LOCAL work_mem = '256MB'`.execute(tx);
    return sql<{ groups: number; different: number }>`
    WITH one AS (
      SELECT user_id, project_id, charged_day, format, 1 AS accepted, (status = 'completed')::int AS completed,
        (status = 'failed')::int AS failed, (status = 'canceled')::int AS canceled,
        (status = 'completed' AND cached)::int AS cached,
        (status = 'completed' AND duration IS NOT NULL)::int AS footage_count,
        CASE WHEN status = 'completed' THEN coalesce(round(duration * 1e6), 0) ELSE 0 END AS footage_us,
        (status = 'completed' AND NOT cached AND render_ms IS NOT NULL)::int AS render_count,
        CASE WHEN status = 'completed' AND NOT cached THEN coalesce(round(render_ms * 1e3), 0) ELSE 0 END AS render_us,
        coalesce(size_in_bytes, 0) AS bytes
      FROM export LEFT JOIN artifact ON artifact.export_id = export.id
    ), scanned AS (
      SELECT scope, period, scope_id, starts, format, ${sums} FROM one CROSS JOIN LATERAL (VALUES
        ('user', 'day', user_id, charged_day), ('user', 'all', user_id, date '-infinity'),
        ('project', 'day', project_id, charged_day), ('project', 'all', project_id, date '-infinity'),
        ('organization', 'day', '', charged_day), ('organization', 'all', '', date '-infinity'),
        ('organization', 'month', '', date_trunc('month', charged_day::timestamp)::date)
      ) AS place (scope, period, scope_id, starts) GROUP BY scope, period, scope_id, starts, format
    ), kept AS (SELECT scope, period, scope_id, starts, format, ${names} FROM export_stat),
    difference AS ((TABLE scanned EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE scanned))
    SELECT (SELECT count(*) FROM kept) AS groups, (SELECT count(*) FROM difference) AS different`.execute(tx);
  });
  const [{ groups, different } = { groups: 0, different: -1 }] = rows;
  if (different !== 0)
    throw new Error(`${different} sums of the statistics differ from a scan of the exports.`);
  console.log(`${groups} groups of the statistics are, number for number, what a scan of the exports gives`);
};

interface Busiest {
  readonly userId: string;
  readonly projectId: string;
}

/** What the export-tracking document suggests: count and group over the exports themselves. */
export const naiveAnswers = ({
  userId,
  projectId,
}: Busiest): readonly (readonly [string, RawBuilder<unknown>])[] => {
  const figures = sql`count(*), max(created_at), mode() WITHIN GROUP (ORDER BY format), sum(duration), avg(duration),
    avg(render_ms), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status = 'failed')`;
  return [
    [
      'user',
      sql`SELECT ${figures} FROM export WHERE organization_id = ${organizationId} AND user_id = ${userId}`,
    ],
    [
      'project',
      sql`SELECT ${figures} FROM export WHERE organization_id = ${organizationId} AND project_id = ${projectId}`,
    ],
    ['system', sql`SELECT ${figures} FROM export WHERE organization_id = ${organizationId}`],
    [
      'system, by day',
      sql`SELECT charged_day, count(*), avg(duration) FROM export WHERE organization_id = ${organizationId}
        GROUP BY charged_day ORDER BY charged_day DESC LIMIT 30`,
    ],
  ];
};

const changes = {
  completion: `UPDATE export SET status = 'completed', render_ms = 350, duration = 5, completed_at = now() WHERE id = one.id`,
  progress: `UPDATE export SET progress = '{"percent": 40}', progress_at = now() WHERE id = one.id`,
  acceptance: `INSERT INTO export (id, organization_id, user_id, project_id, kind, format, render_mode, composition_id, version,
    request, tier, charged_day, charged_hour, created_at, updated_at)
    VALUES (uuidv7(), one.organization_id, one.user_id, one.project_id, one.kind, one.format, one.render_mode, one.composition_id,
      one.version, one.request, one.tier, one.charged_day, one.charged_hour, now(), now())`,
} as const;
const statements = 2_000;
const costRounds = 7;

/** Microseconds of one statement inside the database, with our triggers and without, in turn. Nothing of it is kept. */
export const triggerCost = async (db: Database): Promise<void> => {
  console.log('\nwhat counting costs a statement, inside the database');
  for (const [name, change] of Object.entries(changes)) {
    const taken: Record<'with' | 'without', number[]> = { with: [], without: [] };
    for (let round = 0; round < costRounds; round++) {
      for (const kind of ['with', 'without'] as const)
        taken[kind].push(await changeMany(db, change, kind === 'with'));
    }
    const median = (list: number[]) =>
      list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
    const [on, off] = [median(taken.with), median(taken.without)];
    console.log(
      `${name.padEnd(12)} ${on.toFixed(1)} µs, without ${off.toFixed(1)} µs: ${(on - off).toFixed(1)} µs`,
    );
  }
};

const changeMany = async (db: Database, change: string, counting: boolean): Promise<number> => {
  const undo = new Error('measured');
  let micros = 0;
  const measured = db.transaction().execute(async (tx) => {
    await sql`CREATE TEMPORARY TABLE chosen ON COMMIT DROP AS SELECT * FROM export ORDER BY created_at DESC LIMIT ${sql.lit(statements)}`.execute(
      tx,
    );
    await sql`UPDATE export SET status = 'started' WHERE id IN (SELECT id FROM chosen)`.execute(tx);
    if (!counting) {
      await sql`ALTER TABLE export DISABLE TRIGGER export_inserted`.execute(tx);
      await sql`ALTER TABLE export DISABLE TRIGGER export_updated`.execute(tx);
    }
    const start = performance.now();
    await sql
      .raw(`DO $$ DECLARE one record; BEGIN FOR one IN SELECT * FROM chosen LOOP ${change}; END LOOP; END $$`)
      .execute(tx);
    micros = ((performance.now() - start) * 1000) / statements;
    throw undo;
  });
  await measured.catch((error: unknown) => {
    if (error !== undo) throw error;
  });
  return micros;
};

/** The statements that the answers send, as they are, each with its plan. */
export const showPlans = async (url: string, { userId, projectId }: Busiest): Promise<void> => {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const sent: { sql: string; parameters: readonly unknown[] }[] = [];
  const db = new Kysely<Schema>({
    dialect: new PostgresDialect({ pool }),
    log: ({ query }) => void sent.push({ sql: query.sql, parameters: query.parameters }),
  });
  const show = async (name: string, read: Promise<unknown>) => {
    await read;
    for (const query of sent.splice(0)) {
      const { rows } = await pool.query(`EXPLAIN (ANALYZE, BUFFERS) ${query.sql}`, [...query.parameters]);
      console.log(`\n-- ${name}\n${rows.map((row) => row['QUERY PLAN']).join('\n')}`);
    }
  };
  const today = new Date().toISOString().slice(0, 10);
  const window = planWindow({}, today);
  const scopes: readonly StatKey[] = [
    { organizationId, scope: 'user', scopeId: userId },
    { organizationId, scope: 'project', scopeId: projectId },
    { organizationId, scope: 'organization', scopeId: '' },
  ];
  for (const key of scopes) {
    await show(`${key.scope}: totals`, readTotals(db, key));
    await show(`${key.scope}: window`, readWindow(db, key, window));
  }
  await show('organization: months', readMonths(db, organizationId, `${today.slice(0, 4)}-01-01`));
  await show('organization: peak hours', readHours(db, organizationId, window));
  await show('organization: active users', countActive(db, organizationId, 'user', window));
  await show('history: first page of the user', listExports(db, organizationId, { userId }, { limit: 50 }));
  await show('history: failed of all', listExports(db, organizationId, { status: 'failed' }, { limit: 50 }));
  await show(
    'history: started of the user',
    listExports(db, organizationId, { userId, status: 'started' }, { limit: 50 }),
  );
  await db.destroy();
};
