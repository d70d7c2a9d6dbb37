/** A job of a render queue: which export, which planning; and what its outcome means for the export and for the queue. */
import { RendermillError } from '../../core/errors.ts';
import { finishCancel } from '../../domain/exports/cancel-export.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import { failExport } from '../../domain/exports/fail-export.ts';
import { awaitRetry, handBack } from '../../domain/exports/return-export.ts';
import { startExport } from '../../domain/exports/start-export.ts';
import type { ActiveJob, JobHandler } from '../../platform/queue/contract.ts';
import { processChunk } from './chunks/process-chunk.ts';
import { progressOfJoin } from './chunks/progress-of-join.ts';
import { runJoin } from './chunks/run-join.ts';
import { giveWay } from './give-way.ts';
import { type Hold, holdExport } from './hold.ts';
import { processGroup } from './process-group.ts';
import { removeStrayFiles } from './remove-stray-files.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { runRender } from './run-render.ts';
import { settleWork } from './settle-work.ts';
import { whileUnavailable } from './while-unavailable.ts';

export const createRenderProcessor =
  (deps: RunRenderDeps): JobHandler =>
  (job) => {
    if (job.data.groupId !== undefined) return processGroup(deps, job);
    return job.data.chunkId === undefined ? processRender(deps, job) : processChunk(deps, job);
  };

const processRender = async (deps: RunRenderDeps, job: ActiveJob): Promise<void> => {
  deps.checkpoint?.('received');
  const started = await whileUnavailable(deps.log, () =>
    deps.db.transaction().execute((tx) => startExport(tx, claimOf(job, deps.workerId), deps.clock.now())),
  );
  if (started.type === 'stale') return;
  deps.checkpoint?.('claimed');
  const { export: row, fence } = started;
  const hold = holdExport(deps, fence, job.signal, progressOfJoin(row));
  try {
    await (row.chunks === null ? runRender(deps, row, fence, hold) : runJoin(deps, row, fence, hold));
  } catch (error) {
    await settle(deps, row, fence, hold, error);
  } finally {
    hold.release();
  }
};

const claimOf = (job: ActiveJob, workerId: string) => ({
  exportId: String(job.data.exportId),
  epoch: Number(job.data.epoch),
  workerId,
});

/** What an attempt that did not complete leaves behind. Throws where the queue is to know of it. */
const settle = async (
  deps: RunRenderDeps,
  row: Export,
  fence: Fence,
  hold: Hold,
  thrown: unknown,
): Promise<void> => {
  if (thrown instanceof RendermillError && thrown.code === 'lambda_throttled') {
    return giveWay(deps, row, fence);
  }
  const now = () => deps.clock.now();
  await settleWork(deps, hold, thrown, {
    facts: { exportId: row.id, attempt: fence.attempt },
    failedAttempts: row.failed_attempts,
    canceled: (tx) => finishCancel(tx, fence, now()),
    handBack: (tx) => handBack(tx, fence, now()),
    awaitRetry: (tx, reason) => awaitRetry(tx, fence, reason, now()),
    fail: (tx, reason) => failExport(tx, fence, reason, now()),
    cleanUp: () => removeStrayFiles(deps, row),
  });
};
