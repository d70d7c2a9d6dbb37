import type { Logger } from '../../log/log.ts';

/** What is done some time after a render has ended, while nobody waits for it. */
export interface Afterwards {
  do(work: () => Promise<void>): void;
  /** Does what still waits, at once. */
  close(): Promise<void>;
}

export const createAfterwards = (delayMs: number, log: Logger): Afterwards => {
  const waiting = new Map<NodeJS.Timeout, () => Promise<void>>();
  const running = new Set<Promise<void>>();
  let closed = false;
  const run = (work: () => Promise<void>): void => {
    const ended = work()
      .catch((error: unknown) => log.warn({ err: error }, 'objects of a Lambda render not removed'))
      .finally(() => running.delete(ended));
    running.add(ended);
  };
  return {
    do: (work) => {
      if (closed) return run(work);
      const timer = setTimeout(() => {
        waiting.delete(timer);
        run(work);
      }, delayMs);
      timer.unref();
      waiting.set(timer, work);
    },
    close: async () => {
      closed = true;
      for (const [timer, work] of waiting) {
        clearTimeout(timer);
        run(work);
      }
      waiting.clear();
      await Promise.all(running);
    },
  };
};
