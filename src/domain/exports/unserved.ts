/**
 * Exports of a mode that no live worker serves: Lambda was taken away, or the last worker is gone. They wait, and everybody can see it;
 * after a time they end, or go to the workers.
 *
 * The time is that which somebody has watched: while the whole installation was down nobody served anything, and nobody is to blame.
 */
import { sql } from 'kysely';
import { type RenderMode, renderModes } from '../../core/exports.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { finishCancel } from './cancel-export.ts';
import type { Export, Fence } from './export.ts';
import { failExport } from './fail-export.ts';
import { lockHeldExport } from './held-export.ts';
import { tellOfRemoteRenders } from './remote-render.ts';
import { servedModes } from './workers.ts';

export interface UnservedMode {
  readonly renderMode: RenderMode;
  readonly since: Date;
}

/** Who looks more seldom than this was away, and begins to count anew. */
export const watchGapMs = 120_000;

/** Looks which modes have no live worker, and remembers since when. May be called by several processes at once. */
export const watchModes = async (db: Database, now: Date): Promise<readonly UnservedMode[]> => {
  const served = await servedModes(db);
  const { rows } = await sql<{ renderMode: RenderMode; since: Date | null }>`
    INSERT INTO render_mode_watch AS watch (render_mode, unserved_since, looked_at)
    SELECT mode, CASE WHEN mode = ANY(${[...served]}::text[]) THEN NULL ELSE ${now}::timestamptz END, ${now}::timestamptz
    FROM unnest(${[...renderModes]}::text[]) AS mode ORDER BY mode
    ON CONFLICT (render_mode) DO UPDATE SET
      unserved_since = CASE
        WHEN excluded.unserved_since IS NULL OR watch.unserved_since IS NULL THEN excluded.unserved_since
        WHEN watch.looked_at < ${new Date(now.getTime() - watchGapMs)} THEN excluded.unserved_since
        ELSE watch.unserved_since END,
      looked_at = greatest(watch.looked_at, excluded.looked_at)
    RETURNING render_mode AS "renderMode", unserved_since AS since`.execute(db);
  return rows.flatMap(({ renderMode, since }) => (since === null ? [] : [{ renderMode, since }]));
};

/** As far as it was watched; changes nothing. */
export const unservedModes = async (db: Reader, now: Date): Promise<readonly UnservedMode[]> => {
  const served = await servedModes(db);
  const { rows } = await sql<{ renderMode: RenderMode; since: Date | null }>`
    SELECT render_mode AS "renderMode", unserved_since AS since FROM render_mode_watch`.execute(db);
  const sinceOf = new Map(rows.map((row) => [row.renderMode, row.since]));
  return renderModes
    .filter((mode) => !served.has(mode))
    .map((mode) => ({ renderMode: mode, since: sinceOf.get(mode) ?? now }));
};

/**
 * Exports of the mode that have not ended, in line, planned, or left by whoever held them, and that nobody has touched since `before`.
 * Organizations take turns, each in the order of its line; of one turn the oldest comes first. At most `limit`, and of each organization
 * and tier so many of those in line as `perLine` says.
 */
export const findUnserved = async (
  db: Reader,
  given: { mode: RenderMode; before: Date; limit: number; perLine: number },
): Promise<readonly Fence[]> => {
  const inLine = sql`render_mode = ${given.mode} AND status IN ('queued', 'started') AND fed_at IS NULL`;
  const columns = sql`id, epoch, attempt, organization_id, priority, created_at, line_order`;
  const { rows } = await sql<Fence>`
    WITH RECURSIVE line AS (
      (SELECT organization_id, tier FROM export WHERE ${inLine} ORDER BY organization_id, tier LIMIT 1)
      UNION ALL
      SELECT next.organization_id, next.tier FROM line CROSS JOIN LATERAL (
        SELECT organization_id, tier FROM export
        WHERE ${inLine} AND (organization_id, tier) > (line.organization_id, line.tier)
        ORDER BY organization_id, tier LIMIT 1
      ) AS next
    ), waiting AS (
      SELECT head.* FROM line CROSS JOIN LATERAL (
        SELECT ${columns} FROM export
        WHERE ${inLine} AND organization_id = line.organization_id AND tier = line.tier AND updated_at <= ${given.before}
        ORDER BY priority, created_at, line_order, id LIMIT ${given.perLine}
      ) AS head
      UNION ALL
      SELECT ${columns} FROM export
      WHERE render_mode = ${given.mode} AND status IN ('queued', 'started') AND fed_at IS NOT NULL AND updated_at <= ${given.before}
    )
    SELECT id AS "exportId", epoch, attempt FROM waiting
    ORDER BY row_number() OVER (PARTITION BY organization_id ORDER BY priority, created_at, line_order, id), created_at, id
    LIMIT ${given.limit}`.execute(db);
  return rows;
};

/** False: a worker has come back, and renders it. Throws `render_lost` where it has begun already, or somebody else has ended it. */
export const endUnserved = async (
  tx: Tx,
  overdue: Fence,
  given: { mode: RenderMode; text: string; fallsBack: boolean },
  now: Date,
): Promise<boolean> => {
  const row = await lockHeldExport(tx, overdue);
  if ((await servedModes(tx)).has(given.mode)) return false;
  if (row.cancel_requested_at !== null) await finishCancel(tx, overdue, now);
  else if (given.fallsBack && given.mode === 'lambda') await moveToWorkers(tx, row, now);
  else await failExport(tx, overdue, { code: 'render_mode_unserved', text: given.text }, now);
  return true;
};

/** The epoch grows at once: a job of the old planning, which a worker of Lambda may still find, is of no use any more. */
const moveToWorkers = async (tx: Tx, row: Export, now: Date): Promise<void> => {
  await tx
    .updateTable('export')
    .set({
      status: 'queued',
      render_mode: 'local',
      epoch: sql<number>`epoch + 1`,
      fed_at: null,
      group_id: null,
      worker_id: null,
      not_before: null,
      progress: null,
      // Whoever had begun it was taken away: that is no fruitless start.
      hand_backs: sql<number>`hand_backs + CASE WHEN status = 'started' THEN 1 ELSE 0 END`,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .execute();
  await tellOfRemoteRenders(tx, [row]);
  await notify(tx, 'rendermill_export', row.id);
  await notify(tx, 'rendermill_feed');
};
