import type { Redis } from 'ioredis';
import type { Logger } from '../log/log.ts';
import { type BurstLog, burstLog } from './burst-log.ts';
import { connectRedis } from './connect-redis.ts';

/** Every request waits for its count: a Redis that is slower than this does without. */
const commandTimeoutMs = 500;

export interface CountingRedis {
  readonly client: Redis;
  /** For what a command of it failed with: told once a minute, with how often. */
  readonly report: BurstLog;
  close(): void;
}

/** Another connection than the queue's, since its commands may take less time. Rejects as `connectRedis` does. */
export const openCountingRedis = async (url: string, log: Logger): Promise<CountingRedis> => {
  const report = burstLog(log, 'requests are not counted against their limits: trouble with Redis');
  const client = await connectRedis(url, report, commandTimeoutMs);
  return { client, report, close: () => client.disconnect() };
};
