/**
 * Holding an export, or a chunk of one, while it renders: progress goes out at most once a second, and each write tells whether the
 * work is still ours and still wanted. A notification of a cancel comes sooner; the write is what can be relied on.
 */

import type { ChunkFence } from '../../domain/exports/chunks/chunk.ts';
import { saveChunkProgress } from '../../domain/exports/chunks/chunk-progress.ts';
import type { Fence } from '../../domain/exports/export.ts';
import { type HolderState, saveProgress } from '../../domain/exports/save-progress.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { RenderProgress } from '../../platform/renderer/contract.ts';

/** Why a render is ended before its end. */
export type EndReason = 'canceled' | 'lost' | 'stopping';

export interface Hold {
  readonly signal: AbortSignal;
  reason(): EndReason | undefined;
  report(progress: RenderProgress): void;
  release(): void;
}

export interface HoldDeps {
  readonly db: Database;
  readonly listener: Listener;
  readonly clock: Clock;
  readonly log: Logger;
}

const writeEveryMs = 1_000;
const unknownYet: RenderProgress = {
  stage: 'preparing',
  percent: 0,
  renderedFrames: 0,
  totalFrames: 0,
  timeLeftMs: null,
};

interface HeldWork {
  readonly exportId: string;
  /** What is told before anything is reported. */
  readonly begun: RenderProgress;
  save(progress: RenderProgress): Promise<HolderState>;
}

export const holdExport = (
  deps: HoldDeps,
  fence: Fence,
  jobSignal: AbortSignal,
  begun: RenderProgress = unknownYet,
): Hold =>
  holdWork(
    deps,
    {
      exportId: fence.exportId,
      begun,
      save: (progress) => saveProgress(deps.db, fence, { ...progress }, deps.clock.now()),
    },
    jobSignal,
  );

export const holdChunk = (deps: HoldDeps, fence: ChunkFence, jobSignal: AbortSignal): Hold =>
  holdWork(
    deps,
    {
      exportId: fence.exportId,
      begun: unknownYet,
      save: (progress) => saveChunkProgress(deps.db, fence, progress.renderedFrames, deps.clock.now()),
    },
    jobSignal,
  );

/** `jobSignal` aborts when the queue's lock is lost or the worker has no more time. */
const holdWork = (deps: HoldDeps, work: HeldWork, jobSignal: AbortSignal): Hold => {
  const controller = new AbortController();
  let reason: EndReason | undefined;
  let latest = work.begun;
  let writing = false;

  const end = (why: EndReason) => {
    reason ??= why;
    controller.abort(why);
  };
  const write = async () => {
    if (writing) return;
    writing = true;
    try {
      const state = await work.save(latest);
      if (state === 'lost') end('lost');
      if (state === 'cancel_requested') end('canceled');
    } catch (error) {
      deps.log.warn({ err: error, exportId: work.exportId }, 'progress could not be written');
    } finally {
      writing = false;
    }
  };
  const timer = setInterval(write, writeEveryMs);
  const off = deps.listener.on('rendermill_cancel', (id) => {
    if (id === work.exportId) end('canceled');
  });
  const onJobEnd = () => end('stopping');
  if (jobSignal.aborted) onJobEnd();
  jobSignal.addEventListener('abort', onJobEnd, { once: true });
  return {
    signal: controller.signal,
    reason: () => reason,
    report: (progress) => {
      latest = progress;
    },
    release: () => {
      clearInterval(timer);
      off();
      jobSignal.removeEventListener('abort', onJobEnd);
    },
  };
};
