import type { Logger } from '../log/log.ts';
import { withoutBallast } from './errors.ts';

const quietMs = 60_000;

export type BurstLog = (error: unknown) => void;

/**
 * A connection that breaks reports hundreds of errors in a second. The first is logged; what follows within a minute is
 * counted, and the count stands on the next line.
 */
export const burstLog = (log: Logger, message: string, clock: () => number = Date.now): BurstLog => {
  let quietUntil = 0;
  let unlogged = 0;
  return (error) => {
    const now = clock();
    if (now < quietUntil) {
      unlogged += 1;
      return;
    }
    log.warn({ err: withoutBallast(error), unlogged }, message);
    quietUntil = now + quietMs;
    unlogged = 0;
  };
};
