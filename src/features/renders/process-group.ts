/** A job of several exports that are rendered together, and what its end means for those that have not ended with it. */
import { RendermillError } from '../../core/errors.ts';
import { finishCancels } from '../../domain/exports/cancel-export.ts';
import { handBackAll } from '../../domain/exports/return-export.ts';
import { type Started, startGroup } from '../../domain/exports/start-export.ts';
import type { ActiveJob } from '../../platform/queue/contract.ts';
import type { EndReason } from './hold.ts';
import { type GroupHold, holdGroup } from './hold-group.ts';
import { createPublisher, settleFailure } from './publish-stills.ts';
import { removeStrayFiles } from './remove-stray-files.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { runGroup } from './run-group.ts';
import { whileUnavailable } from './while-unavailable.ts';

export const processGroup = async (deps: RunRenderDeps, job: ActiveJob): Promise<void> => {
  deps.checkpoint?.('received');
  const groupId = String(job.data.groupId);
  const started = await whileUnavailable(deps.log, () =>
    deps.db
      .transaction()
      .execute((tx) => startGroup(tx, { groupId, workerId: deps.workerId }, deps.clock.now())),
  );
  if (started.length === 0) return;
  deps.checkpoint?.('group_claimed');
  const hold = holdGroup(deps, started, job.signal);
  try {
    await runGroup(deps, started, hold, createPublisher(deps, hold));
  } catch (error) {
    await settle(deps, started, hold, error);
  } finally {
    hold.release();
  }
};

/** What the group did not come to. Throws where the queue is to know of it. */
const settle = async (
  deps: RunRenderDeps,
  started: readonly Started[],
  hold: GroupHold,
  thrown: unknown,
): Promise<void> => {
  const reason = endReason(hold, thrown);
  if (reason !== undefined) return endEarly(deps, started, hold, reason);
  // Nothing that a single picture did: the bundle cannot be had, or the database is away for long.
  const error =
    thrown instanceof RendermillError ? thrown : new RendermillError('internal', { cause: thrown });
  const open = new Set(hold.remaining().map((fence) => fence.exportId));
  for (const one of started) {
    if (open.has(one.fence.exportId)) await settleFailure(deps, hold, one, error);
  }
};

const endReason = (hold: GroupHold, thrown: unknown): EndReason | undefined => {
  if (!(thrown instanceof RendermillError)) return undefined;
  if (thrown.code === 'shutting_down') return 'stopping';
  return thrown.code === 'render_canceled' ? hold.reason() : undefined;
};

const endEarly = async (
  deps: RunRenderDeps,
  started: readonly Started[],
  hold: GroupHold,
  reason: EndReason,
): Promise<void> => {
  const fences = hold.remaining();
  if (reason === 'lost' || fences.length === 0) return;
  const now = deps.clock.now();
  await whileUnavailable(deps.log, () =>
    deps.db.transaction().execute(async (tx) => {
      if (reason === 'canceled') await finishCancels(tx, fences, now);
      else await handBackAll(tx, fences, now);
    }),
  );
  if (reason !== 'canceled') return;
  const ended = new Set(fences.map((fence) => fence.exportId));
  for (const { export: row, fence } of started) {
    if (ended.has(row.id) && fence.attempt > 1) await removeStrayFiles(deps, row);
  }
};
