/** A job of the render queue: which export, which planning; and what its outcome means for the export and for the queue. */
import { RendermillError } from '../../core/errors.ts';
import { finishCancel } from '../../domain/exports/cancel-export.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import { failExport } from '../../domain/exports/fail-export.ts';
import { awaitRetry, handBack } from '../../domain/exports/return-export.ts';
import { startExport } from '../../domain/exports/start-export.ts';
import type { Tx } from '../../platform/db/client.ts';
import { type ActiveJob, GiveUpError, type JobHandler } from '../../platform/queue/contract.ts';
import { maxFailedAttempts } from './attempts.ts';
import { type EndReason, type Hold, holdExport } from './hold.ts';
import { processGroup } from './process-group.ts';
import { removeStrayFiles } from './remove-stray-files.ts';
import { type RunRenderDeps, runRender } from './run-render.ts';
import { whileUnavailable } from './while-unavailable.ts';

export const createRenderProcessor =
  (deps: RunRenderDeps): JobHandler =>
  (job) =>
    job.data.groupId === undefined ? processRender(deps, job) : processGroup(deps, job);

const processRender = async (deps: RunRenderDeps, job: ActiveJob): Promise<void> => {
  deps.checkpoint?.('received');
  const started = await whileUnavailable(deps.log, () =>
    deps.db.transaction().execute((tx) => startExport(tx, claimOf(job, deps.workerId), deps.clock.now())),
  );
  if (started.type === 'stale') return;
  deps.checkpoint?.('claimed');
  const hold = holdExport(deps, started.fence, job.signal);
  try {
    await runRender(deps, started.export, started.fence, hold);
  } catch (error) {
    await settle(deps, started.export, started.fence, hold, error);
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
  const error =
    thrown instanceof RendermillError ? thrown : new RendermillError('render_failed', { cause: thrown });
  if (error.code === 'render_lost') return;
  const ended =
    error.code === 'shutting_down'
      ? 'stopping'
      : error.code === 'render_canceled'
        ? hold.reason()
        : undefined;
  if (ended !== undefined) {
    await endEarly(deps, fence, ended);
    return removeStrayFiles(deps, row);
  }

  deps.log.warn(
    { err: thrown, code: error.code, exportId: row.id, attempt: fence.attempt },
    'a render failed',
  );
  const reason = { code: error.code, text: error.message };
  if (error.retryable && row.failed_attempts + 1 < maxFailedAttempts) {
    await write(deps, (tx) => awaitRetry(tx, fence, reason, deps.clock.now()));
    throw error;
  }
  await write(deps, (tx) => failExport(tx, fence, reason, deps.clock.now()));
  await removeStrayFiles(deps, row);
  throw new GiveUpError(`${error.code}: ${error.message}`);
};

const endEarly = async (deps: RunRenderDeps, fence: Fence, reason: EndReason): Promise<void> => {
  if (reason === 'canceled') await write(deps, (tx) => finishCancel(tx, fence, deps.clock.now()));
  if (reason === 'stopping') await write(deps, (tx) => handBack(tx, fence, deps.clock.now()));
};

/** `render_lost` means that someone else has settled it. */
const write = async (deps: RunRenderDeps, work: (tx: Tx) => Promise<unknown>): Promise<void> => {
  try {
    await whileUnavailable(deps.log, () => deps.db.transaction().execute(work));
  } catch (error) {
    if (!(error instanceof RendermillError && error.code === 'render_lost')) throw error;
  }
};
