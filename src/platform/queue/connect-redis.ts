import { Redis } from 'ioredis';
import { RendermillError } from '../../core/errors.ts';
import type { BurstLog } from './burst-log.ts';
import { toQueueError } from './errors.ts';

const connectTimeoutMs = 3_000;
const usualCommandTimeoutMs = 3_000;

/** How each of our connections is kept. */
export const connection = {
  connectTimeout: connectTimeoutMs,
  keepAlive: 10_000,
  retryStrategy: (times: number): number => Math.min(50 * 2 ** times, 2_000),
};

/**
 * A connection that answers or fails within `commandTimeoutMs`, and never keeps a request waiting for Redis to come back. Rejects with
 * `queue_unavailable` where nobody answers, and with `invalid_configuration` where it refuses the user.
 */
export const connectRedis = async (
  url: string,
  report: BurstLog,
  commandTimeoutMs = usualCommandTimeoutMs,
): Promise<Redis> => {
  const redis = new Redis(url, {
    ...connection,
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: commandTimeoutMs,
  });
  let lastError: unknown;
  redis.on('error', (error) => {
    lastError = error;
    report(error);
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw toConnectError(lastError ?? error);
  }
};

const toConnectError = (error: unknown): RendermillError => {
  const refused = error instanceof Error && /WRONGPASS|NOAUTH|NOPERM|invalid password/.test(error.message);
  if (!refused) return toQueueError(error);
  return new RendermillError('invalid_configuration', {
    message: 'Redis refuses the user or the password in REDIS_URL.',
    cause: error,
  });
};
