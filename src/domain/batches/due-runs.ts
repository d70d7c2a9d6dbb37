/** Runs that the campaign queue has work on: cells to make exports of, or to cancel. The epoch fences out an older planning. */
import { type SqlBool, sql } from 'kysely';
import type { RenderMode } from '../../core/exports.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { BatchRun, RunKey } from './batch.ts';

export interface FedRun extends RunKey {
  readonly epoch: number;
}

const columns = ['batch_id as batchId', 'run', 'epoch'] as const;
const mostAtOnce = 50;

/** Oldest first; the epoch of each grows, which makes its new job's id. */
export const feedDueRuns = (db: Database, now: Date): Promise<FedRun[]> =>
  db
    .updateTable('batch_run')
    .set({ epoch: sql<number>`epoch + 1`, fed_at: now, updated_at: now })
    .where(
      sql<SqlBool>`(batch_id, run) IN (SELECT batch_id, run FROM batch_run WHERE due AND fed_at IS NULL
        ORDER BY created_at, batch_id LIMIT ${mostAtOnce} FOR UPDATE SKIP LOCKED)`,
    )
    .returning(columns)
    .execute();

export interface UnplannedRun extends FedRun {
  readonly organizationId: string;
}

/** Of one organization, so that one whose oldest runs cannot be planned keeps nobody else from being looked at. */
const mostOfOne = 20;

/**
 * Accepted before, of that mode, with cells that are no exports yet. Organizations take turns: in the order of their ids from behind the
 * given one on, and then from the first; of each its oldest runs.
 */
export const unplannedRuns = async (
  db: Reader,
  given: { mode: RenderMode; before: Date; behind: string; limit: number },
): Promise<readonly UnplannedRun[]> => {
  const { rows } = await sql<UnplannedRun>`
    SELECT batch_id AS "batchId", run, epoch, organization_id AS "organizationId" FROM (
      SELECT batch_id, batch_run.run, epoch, organization_id,
        row_number() OVER (PARTITION BY organization_id ORDER BY batch_run.created_at, batch_id) AS place
      FROM batch_run JOIN batch ON batch.id = batch_id
      WHERE render_mode = ${given.mode} AND due AND cancel_requested_at IS NULL AND planned < total
        AND batch_run.created_at <= ${given.before}
    ) AS unplanned WHERE place <= ${mostOfOne}
    ORDER BY organization_id <= ${given.behind}, organization_id, place LIMIT ${given.limit}`.execute(db);
  return rows;
};

/** In the queue, as far as we know, for at least `ageMs`. */
export const fedRuns = (db: Database, ageMs: number, now: Date): Promise<FedRun[]> =>
  db
    .selectFrom('batch_run')
    .select(columns)
    .where('due', '=', true)
    .where('fed_at', '<', new Date(now.getTime() - ageMs))
    .execute();

/** The queue has lost these jobs. */
export const refeedRuns = async (db: Database, lost: readonly FedRun[], now: Date): Promise<number> => {
  let count = 0;
  for (const { batchId, run, epoch } of lost) {
    const result = await db
      .updateTable('batch_run')
      .set({ fed_at: null, updated_at: now })
      .where('batch_id', '=', batchId)
      .where('run', '=', run)
      .where('epoch', '=', epoch)
      .where('due', '=', true)
      .executeTakeFirst();
    count += Number(result.numUpdatedRows);
  }
  return count;
};

/** The run while this planning of it is the newest and there is work; else undefined. Locks it. */
export const lockDueRun = (tx: Tx, { batchId, run, epoch }: FedRun): Promise<BatchRun | undefined> =>
  tx
    .selectFrom('batch_run')
    .selectAll()
    .where('batch_id', '=', batchId)
    .where('run', '=', run)
    .where('epoch', '=', epoch)
    .where('due', '=', true)
    .forUpdate()
    .executeTakeFirst();

/** The caller has locked it. */
export const countPlanned = async (tx: Tx, run: BatchRun, cells: number, now: Date): Promise<void> => {
  const planned = run.planned + cells;
  await tx
    .updateTable('batch_run')
    .set({ planned, updated_at: now, ...(planned === run.total ? { due: false, fed_at: null } : {}) })
    .where('batch_id', '=', run.batch_id)
    .where('run', '=', run.run)
    .execute();
  await notify(tx, 'rendermill_batch', run.batch_id);
};

/** The caller has locked it. From now on its cells are to be canceled, wherever they are. */
export const markCanceled = async (tx: Tx, run: BatchRun, now: Date): Promise<void> => {
  await tx
    .updateTable('batch_run')
    .set({ cancel_requested_at: now, due: true, fed_at: null, updated_at: now })
    .where('batch_id', '=', run.batch_id)
    .where('run', '=', run.run)
    .execute();
  await notify(tx, 'rendermill_batch_feed');
  await notify(tx, 'rendermill_cancel', run.batch_id);
};

/** Nothing is left to do on it, under the caller's lock. */
export const settleRun = async (tx: Tx, run: BatchRun, now: Date): Promise<void> => {
  await tx
    .updateTable('batch_run')
    .set({ due: false, fed_at: null, updated_at: now })
    .where('batch_id', '=', run.batch_id)
    .where('run', '=', run.run)
    .execute();
};
