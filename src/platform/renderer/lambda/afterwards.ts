import type { Logger } from '../../log/log.ts';

/** `isEarly`: the delay is not over. */
export type DelayedWork = (isEarly: boolean) => Promise<void>;

/** What is done some time after a render has ended, while nobody waits for it. */
export interface Afterwards {
  do(work: DelayedWork): void;
  /** Does what still waits, too early. */
  close(): Promise<void>;
}

export const createAfterwards = (delayMs: number, log: Logger): Afterwards => {
  const waiting = new Map<NodeJS.Timeout, DelayedWork>();
  const running = new Set<Promise<void>>();
  let closed = false;
  const run = (work: DelayedWork, isEarly: boolean): void => {
    const ended = work(isEarly)
      .catch((error: unknown) => log.warn({ err: error }, 'objects of a Lambda render not removed'))
      .finally(() => running.delete(ended));
    running.add(ended);
  };
  return {
    do: (work) => {
      if (closed) return run(work, true);
      const timer = setTimeout(() => {
        waiting.delete(timer);
        run(work, false);
      }, delayMs);
      timer.unref();
      waiting.set(timer, work);
    },
    close: async () => {
      closed = true;
      for (const [timer, work] of waiting) {
        clearTimeout(timer);
        run(work, true);
      }
      waiting.clear();
      await Promise.all(running);
    },
  };
};
