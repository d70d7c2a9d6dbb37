/** Work that is done when it is called for, and from time to time in case the call was missed; never twice at once. */
export interface WakeableLoop {
  /** Runs soon; while a round runs, one more follows it. */
  wake(): void;
  /** Resolves when the running round has ended; may be called twice. */
  stop(): Promise<void>;
}

export const startWakeableLoop = (options: {
  readonly everyMs: number;
  readonly round: () => Promise<void>;
  readonly onError: (error: unknown) => void;
}): WakeableLoop => {
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = false;

  const rounds = async () => {
    do {
      again = false;
      await options.round().catch(options.onError);
    } while (again && !stopped);
  };
  const wake = () => {
    if (stopped) return;
    again = true;
    running ??= rounds().finally(() => {
      running = undefined;
    });
  };
  const timer = setInterval(wake, options.everyMs);
  wake();
  return {
    wake,
    stop: async () => {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
};
