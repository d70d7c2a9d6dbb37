/** Lets so many through in a second, and counts the rest. */
export interface RateCap {
  /** Whether this one may pass. */
  take(): boolean;
}

const secondMs = 1_000;

/** `onSkipped` is called once for each second that was too full, at its end. */
export const createRateCap = (options: {
  readonly mostPerSecond: number;
  readonly onSkipped: (skipped: number) => void;
}): RateCap => {
  let taken = 0;
  const endSecond = () => {
    const skipped = taken - options.mostPerSecond;
    taken = 0;
    if (skipped > 0) options.onSkipped(skipped);
  };
  return {
    take: () => {
      // Begins with its first one, and ends with nobody waiting for it.
      if (taken === 0) setTimeout(endSecond, secondMs).unref();
      taken += 1;
      return taken <= options.mostPerSecond;
    },
  };
};
