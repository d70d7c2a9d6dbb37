import { setTimeout as sleep } from 'node:timers/promises';
import { RendermillError } from '../../../core/errors.ts';
import type { RenderChild } from './pool/render-child.ts';
import { type Watchdog, type WatchLimits, watchRender } from './watchdog.ts';

/** Remotion's cancel signal is heard within milliseconds; a page in an endless loop never hears it. */
const cancelPatienceMs = 2_000;

/** Rejects some time after an abort: the child first gets the chance to end its work by itself. */
const rejectOnAbort = (
  child: RenderChild,
  signal: AbortSignal,
  answer: Promise<unknown>,
  finished: AbortSignal,
): Promise<never> =>
  new Promise((_, reject) => {
    const onAbort = async (): Promise<void> => {
      child.cancel();
      await Promise.race([answer.catch(() => undefined), sleep(cancelPatienceMs)]);
      reject(new RendermillError('render_canceled'));
    };
    if (signal.aborted) void onAbort();
    else signal.addEventListener('abort', onAbort, { once: true, signal: finished });
  });

/** The child's answer, unless the watchdog or the caller is faster. */
export const supervise = async <T>(
  child: RenderChild,
  limits: WatchLimits,
  signal: AbortSignal,
  begin: (watchdog: Watchdog) => Promise<T>,
): Promise<T> => {
  const watchdog = watchRender(child, limits);
  const answer = begin(watchdog);
  const finished = new AbortController();
  const canceled = rejectOnAbort(child, signal, answer, finished.signal);
  try {
    const result = await Promise.race([answer, watchdog.alarm, canceled]);
    signal.throwIfAborted();
    return result;
  } finally {
    watchdog.stop();
    finished.abort();
  }
};
