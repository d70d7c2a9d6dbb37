import type { Logger } from '../log/log.ts';

export interface StopHandler {
  readonly name: string;
  readonly stop: () => Promise<void>;
}

/** Empties the list from its end, one after the other, with what is added on the way. Resolves with the number that failed. */
export const runInReverse = async (handlers: StopHandler[], log: Logger): Promise<number> => {
  let failures = 0;
  for (let handler = handlers.pop(); handler; handler = handlers.pop()) {
    if (!(await succeeds(handler, log))) failures += 1;
  }
  return failures;
};

const succeeds = async ({ name, stop }: StopHandler, log: Logger): Promise<boolean> => {
  const startedAt = performance.now();
  const durationMs = () => Math.round(performance.now() - startedAt);
  // So that a stop which hangs says in whom.
  log.debug({ handler: name }, `stopping ${name}`);
  try {
    await stop();
    log.info({ handler: name, durationMs: durationMs() }, `stopped ${name}`);
    return true;
  } catch (error) {
    log.error({ handler: name, durationMs: durationMs(), err: error }, `could not stop ${name}`);
    return false;
  }
};
