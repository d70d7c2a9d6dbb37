/**
 * What the cells of a run come to, counted in the transaction that ends them. The row of the run is locked by whoever counts, so
 * of two workers that finish the last two cells at the same instant exactly one closes the run, and records it.
 */
import type { RunStatus } from '../../core/batches.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { emit } from '../events/emit.ts';
import { type Batch, type BatchRun, lockRun, type RunKey } from './batch.ts';

export interface EndedCells {
  readonly succeeded?: number;
  /** Of those that succeeded: without rendering. */
  readonly cached?: number;
  readonly failed?: number;
  readonly canceled?: number;
  /** Of those that were canceled: never became exports. */
  readonly withdrawn?: number;
}

type Source = 'server' | 'worker';

/** The first start of any of its cells; every later one changes nothing. */
export const countStart = async (tx: Tx, key: RunKey, source: Source, now: Date): Promise<void> => {
  const run = await tx
    .updateTable('batch_run')
    .set({ status: 'running', started_at: now, updated_at: now })
    .where('batch_id', '=', key.batchId)
    .where('run', '=', key.run)
    .where('started_at', 'is', null)
    .where('closed_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
  if (!run) return;
  await notify(tx, 'rendermill_batch', key.batchId);
  if (run.total > 1) await recordStart(tx, await getBatchOf(tx, key), run, source, now);
};

/** The caller has locked the run before it took usage, credits or project. */
export const countEnds = async (
  tx: Tx,
  key: RunKey,
  ended: EndedCells,
  source: Source,
  now: Date,
): Promise<void> => {
  const before = await lockRun(tx, key);
  const counts = {
    planned: before.planned + (ended.withdrawn ?? 0),
    succeeded: before.succeeded + (ended.succeeded ?? 0),
    cached: before.cached + (ended.cached ?? 0),
    failed: before.failed + (ended.failed ?? 0),
    canceled: before.canceled + (ended.canceled ?? 0),
  };
  const isLast = counts.succeeded + counts.failed + counts.canceled === before.total;
  const run = await tx
    .updateTable('batch_run')
    .set({
      ...counts,
      updated_at: now,
      ...(isLast ? { closed_at: now, status: closingStatus(counts), due: false, fed_at: null } : {}),
    })
    .where('batch_id', '=', key.batchId)
    .where('run', '=', key.run)
    .returningAll()
    .executeTakeFirstOrThrow();
  await notify(tx, 'rendermill_batch', key.batchId);
  if (isLast && run.total > 1) await recordClose(tx, await getBatchOf(tx, key), run, source, now);
};

/** Canceled: something that was asked for was given up. Completed: at least one success. */
export const closingStatus = (counts: { succeeded: number; failed: number; canceled: number }): RunStatus => {
  if (counts.canceled > 0) return 'canceled';
  return counts.succeeded > 0 ? 'completed' : 'failed';
};

const getBatchOf = (tx: Tx, { batchId }: RunKey): Promise<Batch> =>
  tx.selectFrom('batch').selectAll().where('id', '=', batchId).executeTakeFirstOrThrow();

const facts = (batch: Batch, run: BatchRun, now: Date) => ({
  jobId: batch.id,
  jobType: batch.job_type,
  campaignId: batch.campaign_id ?? batch.id,
  projectId: batch.project_id,
  compositionId: batch.composition_id,
  totalItems: run.total,
  variantCount: batch.variant_count,
  sizeCount: batch.sizes.length,
  run: run.run,
  timestamp: now.toISOString(),
});

const envelope = (batch: Batch, run: BatchRun, source: Source, now: Date) => ({
  organizationId: batch.organization_id,
  userId: batch.user_id,
  source,
  occurredAt: now,
  entity: { type: 'batch', id: batch.id },
  ...(run.correlation_id === null ? {} : { correlationId: run.correlation_id }),
});

const recordStart = (tx: Tx, batch: Batch, run: BatchRun, source: Source, now: Date) =>
  emit(tx, {
    name: 'batch_started',
    ...envelope(batch, run, source, now),
    properties: facts(batch, run, now),
  });

const recordClose = async (tx: Tx, batch: Batch, run: BatchRun, source: Source, now: Date) => {
  const shared = envelope(batch, run, source, now);
  const properties = {
    ...facts(batch, run, now),
    successCount: run.succeeded,
    failCount: run.failed,
    canceledCount: run.canceled,
    ...(run.started_at === null ? {} : { duration: Math.max(0, now.getTime() - run.started_at.getTime()) }),
  };
  if (run.status === 'completed') {
    await emit(tx, {
      name: 'batch_completed',
      ...shared,
      properties: { ...properties, cachedCount: run.cached },
    });
  }
  if (run.status === 'failed') await emit(tx, { name: 'batch_failed', ...shared, properties });
  if (run.status === 'canceled') await emit(tx, { name: 'batch_cancelled', ...shared, properties });
};
