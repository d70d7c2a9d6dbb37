/** How much of a sink is used at once, and how often. */

export interface Pace {
  /** Resolves when the call may begin, with the function that ends it; rejects when the signal is aborted before. */
  enter(signal: AbortSignal): Promise<() => void>;
  /** Calls that wait for others to end. */
  readonly waiting: () => number;
}

const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal.addEventListener('abort', onAbort, { once: true });
  });

/** `onNobodyWaits`: the last call that waited has begun. */
export const createPace = (
  concurrency: number,
  perSecond: number = Number.POSITIVE_INFINITY,
  onNobodyWaits: () => void = () => undefined,
): Pace => {
  const waiting: (() => void)[] = [];
  const gapMs = 1_000 / perSecond;
  let inside = 0;
  let nextAt = 0;

  const leave = () => {
    const next = waiting.shift();
    if (!next) {
      inside -= 1;
      return;
    }
    next();
    if (waiting.length === 0) onNobodyWaits();
  };
  const takePlace = (signal: AbortSignal): Promise<void> | void => {
    if (inside < concurrency) {
      inside += 1;
      return;
    }
    return new Promise((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      const onAbort = () => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      waiting.push(go);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  };
  return {
    waiting: () => waiting.length,
    enter: async (signal) => {
      signal.throwIfAborted();
      await takePlace(signal);
      const now = performance.now();
      const wait = Math.max(0, nextAt - now);
      nextAt = Math.max(now, nextAt) + gapMs;
      try {
        if (wait > 0) await sleep(wait, signal);
      } catch (error) {
        leave();
        throw error;
      }
      return leave;
    },
  };
};
