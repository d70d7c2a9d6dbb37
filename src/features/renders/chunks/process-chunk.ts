/** A job of one chunk of a cut video. */
import { endCanceled } from '../../../domain/exports/cancel-export.ts';
import type { ChunkFence, HeldChunk } from '../../../domain/exports/chunks/chunk.ts';
import { lockHeldChunk } from '../../../domain/exports/chunks/chunk.ts';
import { awaitChunkRetry, handBackChunk } from '../../../domain/exports/chunks/return-chunk.ts';
import { startChunk } from '../../../domain/exports/chunks/start-chunk.ts';
import { failExport } from '../../../domain/exports/fail-export.ts';
import type { ActiveJob } from '../../../platform/queue/contract.ts';
import { type Hold, holdChunk } from '../hold.ts';
import { removeStrayFiles } from '../remove-stray-files.ts';
import type { RunRenderDeps } from '../render-deps.ts';
import { settleWork } from '../settle-work.ts';
import { whileUnavailable } from '../while-unavailable.ts';
import { runChunk } from './run-chunk.ts';

export const processChunk = async (deps: RunRenderDeps, job: ActiveJob): Promise<void> => {
  deps.checkpoint?.('received');
  const claim = {
    chunkId: String(job.data.chunkId),
    epoch: Number(job.data.epoch),
    workerId: deps.workerId,
  };
  const started = await whileUnavailable(deps.log, () =>
    deps.db.transaction().execute((tx) => startChunk(tx, claim, deps.clock.now())),
  );
  if (started.type === 'stale') return;
  deps.checkpoint?.('chunk_claimed');
  const hold = holdChunk(deps, started.fence, job.signal);
  try {
    await runChunk(deps, started, started.fence, hold);
  } catch (error) {
    await settle(deps, started, started.fence, hold, error);
  } finally {
    hold.release();
  }
};

const settle = (
  deps: RunRenderDeps,
  { export: row, chunk }: HeldChunk,
  fence: ChunkFence,
  hold: Hold,
  thrown: unknown,
): Promise<void> => {
  const now = () => deps.clock.now();
  return settleWork(deps, hold, thrown, {
    facts: { exportId: row.id, chunk: chunk.number, attempt: fence.attempt },
    failedAttempts: chunk.failed_attempts,
    canceled: async (tx) => {
      const held = await lockHeldChunk(tx, fence);
      await endCanceled(tx, [held.export], 'worker', now());
    },
    handBack: (tx) => handBackChunk(tx, fence),
    awaitRetry: (tx, reason) => awaitChunkRetry(tx, fence, reason, now()),
    // What one chunk does wrong is wrong with the video.
    fail: async (tx, reason) => {
      const { export: whole } = await lockHeldChunk(tx, fence);
      await failExport(tx, { exportId: whole.id, epoch: whole.epoch, attempt: whole.attempt }, reason, now());
    },
    cleanUp: () => removeStrayFiles(deps, row),
  });
};
