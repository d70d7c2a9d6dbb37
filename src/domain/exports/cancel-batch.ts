/** Canceling a run: what never became an export at once, what waits in parts, what a worker holds by a mark. */
import { isClosed } from '../../core/batches.ts';
import { RendermillError } from '../../core/errors.ts';
import type { Tx } from '../../platform/db/client.ts';
import { uncountExports } from '../accounts/projects.ts';
import { type Batch, type BatchRun, getRun, lockRun } from '../batches/batch.ts';
import { countEnds } from '../batches/count-cells.ts';
import { type FedRun, lockDueRun, markCanceled, settleRun } from '../batches/due-runs.ts';
import { refundCredits } from '../credits/ledger.ts';
import { emit } from '../events/emit.ts';
import { endCanceled } from './cancel-export.ts';
import { releaseUsage } from './limits.ts';

/**
 * Marks the batch's last run and gives back what its unplanned cells were charged; the campaign queue ends the rest. Asked for
 * again it changes nothing. Throws `batch_finished` where nothing is left to cancel.
 */
export const requestBatchCancel = async (tx: Tx, batch: Batch, now: Date): Promise<BatchRun> => {
  const key = { batchId: batch.id, run: batch.run };
  const run = await lockRun(tx, key);
  if (run.status === 'canceled' || (run.cancel_requested_at !== null && !isClosed(run.status))) return run;
  if (isClosed(run.status)) {
    throw new RendermillError('batch_finished', {
      message: `Run ${run.run} has already ${run.status}; nothing is left to cancel.`,
    });
  }
  await markCanceled(tx, run, now);
  await withdraw(tx, batch, run, now);
  return getRun(tx, key);
};

const withdraw = async (tx: Tx, batch: Batch, run: BatchRun, now: Date): Promise<void> => {
  const cells = run.total - run.planned;
  if (cells === 0) return;
  const account = { organizationId: batch.organization_id, userId: batch.user_id };
  await releaseUsage(tx, { ...account, day: run.charged_day }, cells);
  const amount = cells * run.credits_per_cell;
  const refunds = amount === 0 ? [] : [{ amount, batchId: batch.id, run: run.run, reason: 'canceled' }];
  const [credits] = await refundCredits(tx, account, refunds, now);
  await uncountExports(
    tx,
    { organizationId: batch.organization_id, projectId: batch.project_id },
    cells,
    now,
  );
  if (credits) {
    await emit(tx, {
      name: 'job_refunded',
      organizationId: batch.organization_id,
      userId: batch.user_id,
      source: 'server',
      occurredAt: now,
      entity: { type: 'batch', id: batch.id },
      properties: {
        job_id: batch.id,
        batchId: batch.id,
        projectId: batch.project_id,
        renderMode: batch.render_mode,
        compositionId: batch.composition_id,
        kind: batch.kind,
        format: batch.format,
        timestamp: now.toISOString(),
        credits_before: credits.before,
        credits_after: credits.after,
      },
    });
  }
  await countEnds(
    tx,
    { batchId: batch.id, run: run.run },
    { withdrawn: cells, canceled: cells },
    'server',
    now,
  );
};

/** Ends a part of what waits, and marks what workers hold. Returns how many it ended; 0: the sweep is done. */
export const sweepCanceled = async (tx: Tx, fed: FedRun, limit: number, now: Date): Promise<number> => {
  const waiting = await tx
    .selectFrom('export')
    .selectAll()
    .where('batch_id', '=', fed.batchId)
    .where('run', '=', fed.run)
    .where('status', '=', 'queued')
    .orderBy('id')
    .limit(limit)
    .forUpdate()
    .execute();
  const ended = await endCanceled(tx, waiting, 'worker', now);
  if (waiting.length > 0) return ended.length;
  await markHeld(tx, fed, now);
  const run = await lockDueRun(tx, fed);
  if (run) await settleRun(tx, run, now);
  return 0;
};

/** Whoever holds them, or takes them over, ends them: also one that has just gone back into the line. */
const markHeld = async (tx: Tx, { batchId, run }: FedRun, now: Date): Promise<void> => {
  const held = await tx
    .selectFrom('export')
    .select('id')
    .where('batch_id', '=', batchId)
    .where('run', '=', run)
    .where('status', 'in', ['queued', 'started'])
    .where('cancel_requested_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute();
  if (held.length === 0) return;
  await tx
    .updateTable('export')
    .set({ cancel_requested_at: now, updated_at: now })
    .where(
      'id',
      'in',
      held.map(({ id }) => id),
    )
    .execute();
};
