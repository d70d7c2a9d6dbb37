import { sql } from 'kysely';
import { isClosed } from '../../core/batches.ts';
import { RendermillError } from '../../core/errors.ts';
import type { TierName } from '../../core/tiers.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { type Batch, type BatchRun, lockRun, type RunKey } from './batch.ts';
import { lastExportsOf } from './last-exports.ts';

export interface NewRun extends RunKey {
  readonly cells: number;
  readonly tierName: TierName;
  /** Seconds of footage that the tier allows; null: no limit. */
  readonly maxDuration: number | null;
  readonly chargedDay: string;
  readonly chargedHour: number;
  readonly creditsPerCell: number;
  readonly correlationId: string;
}

/** The cells are reserved: from here on the campaign queue makes exports of them. */
export const openRun = async (tx: Tx, run: NewRun, now: Date): Promise<BatchRun> => {
  await tx
    .updateTable('batch')
    .set({ run: run.run, updated_at: now })
    .where('id', '=', run.batchId)
    .execute();
  const row = await tx
    .insertInto('batch_run')
    .values({
      batch_id: run.batchId,
      run: run.run,
      total: run.cells,
      tier: run.tierName,
      max_duration: run.maxDuration,
      charged_day: run.chargedDay,
      charged_hour: run.chargedHour,
      credits_per_cell: run.creditsPerCell,
      correlation_id: run.correlationId,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await notify(tx, 'rendermill_batch_feed');
  return row;
};

/**
 * Locks the batch for another run and says how many cells it would have. Throws `batch_running` while the last one goes on and
 * `nothing_to_retry` where no cell failed.
 */
export const prepareRetry = async (tx: Tx, batch: Batch): Promise<{ run: number; cells: number }> => {
  const { run: current } = await tx
    .selectFrom('batch')
    .select('run')
    .where('id', '=', batch.id)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const last = await lockRun(tx, { batchId: batch.id, run: current });
  if (!isClosed(last.status)) {
    throw new RendermillError('batch_running', {
      message: `Run ${last.run} has not come to its end: ${last.succeeded + last.failed + last.canceled} of ${last.total} cells are done. Retry what fails once it has.`,
      details: { run: last.run, status: last.status, total: last.total },
    });
  }
  const cells = await countFailedCells(tx, batch.id);
  if (cells === 0) throw new RendermillError('nothing_to_retry');
  return { run: current + 1, cells };
};

/** A cell has failed when its last export has. */
const countFailedCells = async (tx: Tx, batchId: string): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) AS count FROM ${lastExportsOf(batchId)} AS last WHERE status = 'failed'`.execute(tx);
  const count = rows[0]?.count ?? 0;
  return count;
};
