import { RendermillError } from '../../core/errors.ts';
import { isDatabaseUnavailable } from '../../platform/db/errors.ts';
import type { Logger } from '../../platform/log/log.ts';

const isAway = (error: unknown): boolean =>
  isDatabaseUnavailable(error) || (error instanceof RendermillError && error.code === 'storage_unavailable');

/** Longer than a restart of Postgres takes, shorter than anybody should wait for a finished file. */
const giveUpAfterMs = 120_000;
const waitMs = 500;

/** A finished render is worth waiting for the database, or for the storage, to come back. Only for work that may be done twice. */
export const whileUnavailable = async <T>(log: Logger, work: () => Promise<T>): Promise<T> => {
  const deadline = Date.now() + giveUpAfterMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isAway(error) || Date.now() > deadline) throw error;
      log.warn({ err: error }, 'database or storage are away; a finished step waits for them');
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
};
