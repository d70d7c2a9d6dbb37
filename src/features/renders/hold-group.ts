/**
 * Holding the exports of a group while they render: each second a look at which of them are still ours and still wanted. The
 * notification of a cancel comes sooner; the look is what can be relied on.
 */
import type { Export, Fence } from '../../domain/exports/export.ts';
import { findHeld } from '../../domain/exports/find-held.ts';
import type { EndReason, HoldDeps } from './hold.ts';

export interface GroupHold {
  readonly signal: AbortSignal;
  reason(): EndReason | undefined;
  /** These have ended; what becomes of them is of no interest any more. */
  forget(exportIds: readonly string[]): void;
  /** Those that have not ended. */
  remaining(): readonly Fence[];
  release(): void;
}

const lookEveryMs = 1_000;

/** `jobSignal` aborts when the queue's lock is lost or the worker has no more time. */
export const holdGroup = (
  deps: HoldDeps,
  started: readonly { export: Export; fence: Fence }[],
  jobSignal: AbortSignal,
): GroupHold => {
  const controller = new AbortController();
  const open = new Map(started.map(({ fence }) => [fence.exportId, fence]));
  const batches = new Set(started.map(({ export: row }) => row.batch_id));
  let reason: EndReason | undefined;
  let looking = false;

  const end = (why: EndReason) => {
    reason ??= why;
    controller.abort(why);
  };
  const look = async () => {
    if (looking || open.size === 0) return;
    looking = true;
    try {
      const asked = [...open.values()];
      const held = await findHeld(deps.db, asked);
      const stillOpen = asked.filter((fence) => open.has(fence.exportId));
      const found = stillOpen.flatMap((fence) => held.get(fence.exportId) ?? []);
      if (stillOpen.length > 0 && found.length === 0) end('lost');
      if (found.length > 0 && found.every((one) => one.cancelRequested)) end('canceled');
    } catch (error) {
      deps.log.warn({ err: error }, 'whether a group is still held could not be read');
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(look, lookEveryMs);
  const off = deps.listener.on('rendermill_cancel', (id) => {
    if (batches.has(id)) end('canceled');
  });
  const onJobEnd = () => end('stopping');
  if (jobSignal.aborted) onJobEnd();
  jobSignal.addEventListener('abort', onJobEnd, { once: true });
  return {
    signal: controller.signal,
    reason: () => reason,
    forget: (ids) => {
      for (const id of ids) open.delete(id);
    },
    remaining: () => [...open.values()],
    release: () => {
      clearInterval(timer);
      off();
      jobSignal.removeEventListener('abort', onJobEnd);
    },
  };
};
