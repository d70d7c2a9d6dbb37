import type { RenderChild } from './render-child.ts';

/** One spare child waits with Remotion loaded, belonging to nobody, so that a new organization need not wait for that. */
export interface SpareChild {
  /** The spare, or a new child when there is none; from now on the caller's. */
  take(): Promise<RenderChild>;
  /** Starts one unless there is one. */
  refill(): void;
  end(): Promise<void>;
}

export const createSpareChild = (start: () => Promise<RenderChild>): SpareChild => {
  let waiting: Promise<RenderChild> | null = null;
  const refill = (): void => {
    if (waiting !== null) return;
    waiting = start();
    // A failed start is told to whoever takes it.
    waiting.catch(() => undefined);
  };
  return {
    take: async () => {
      const child = waiting;
      waiting = null;
      const spare = await child?.catch(() => null);
      if (spare && (await spare.isHealthy())) return spare;
      await spare?.retire('at once');
      return start();
    },
    refill,
    end: async () => {
      const child = await waiting?.catch(() => null);
      await child?.retire('at once');
    },
  };
};
