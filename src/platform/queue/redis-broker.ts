import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { RendermillError } from '../../core/errors.ts';
import type { Logger } from '../log/log.ts';
import { type Broker, type BrokerSettings, type JobData, streams, toJobState } from './broker.ts';
import { type BurstLog, burstLog } from './burst-log.ts';
import type { JobState } from './contract.ts';
import { toQueueError } from './errors.ts';
import { settledWithin } from './settled-within.ts';

const connectTimeoutMs = 3_000;
const commandTimeoutMs = 3_000;
const closeTimeoutMs = 2_000;

const connection = {
  connectTimeout: connectTimeoutMs,
  keepAlive: 10_000,
  retryStrategy: (times: number): number => Math.min(50 * 2 ** times, 2_000),
};

export const openRedisBroker = async (settings: BrokerSettings, log: Logger): Promise<Broker> => {
  const report = burstLog(log, 'trouble with Redis');
  const redis = await connect(settings.url, report);
  try {
    await checkServer(redis, log);
  } catch (error) {
    redis.disconnect();
    throw toQueueError(error);
  }
  const queue = new Queue<JobData>(settings.name, {
    connection: redis,
    streams,
    defaultJobOptions: settings.jobOptions,
  });
  queue.on('error', report);

  return {
    kind: 'redis',
    queue,
    add: async (jobs) => {
      await queue.addBulk(jobs);
    },
    createWorker: (process, workerSettings) =>
      new Worker<JobData>(settings.name, process, {
        ...workerSettings,
        // A worker outlives an outage: its commands wait for Redis to come back.
        connection: { ...connection, url: settings.url, maxRetriesPerRequest: null },
      }),
    states: (ids) => readStates(queue, ids),
    ping: async () => {
      await redis.ping();
    },
    close: async () => {
      await settledWithin(queue.close(), closeTimeoutMs);
      await settledWithin(redis.quit(), closeTimeoutMs);
      redis.disconnect();
    },
  };
};

/** A producer's connection: it answers or fails within seconds, and never keeps a request waiting for Redis to come back. */
const connect = async (url: string, report: BurstLog): Promise<Redis> => {
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

/** INFO instead of CONFIG GET, which hosted Redis services forbid. */
const checkServer = async (redis: Redis, log: Logger): Promise<void> => {
  const info = await redis.info();
  const policy = /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
  if (policy !== undefined && policy !== 'noeviction') {
    throw new RendermillError('invalid_configuration', {
      message:
        `Redis may throw queued jobs away: its maxmemory-policy is ${policy}, expected noeviction. ` +
        'Set it with `redis-cli CONFIG SET maxmemory-policy noeviction` and in redis.conf.',
      details: { maxmemoryPolicy: policy },
    });
  }
  if (/^aof_enabled:0/m.test(info)) {
    log.warn(
      'Redis keeps no append-only file: after its restart queued work is planned again from Postgres, which takes about ten seconds. ' +
        'Set it with `redis-cli CONFIG SET appendonly yes` and in redis.conf.',
    );
  }
};

/** One script call for each id, written to one socket without waiting in between. */
const readStates = async (queue: Queue<JobData>, ids: readonly string[]): Promise<Map<string, JobState>> => {
  const states = await Promise.all(ids.map((id) => queue.getJobState(id)));
  const known = new Map<string, JobState>();
  ids.forEach((id, index) => {
    const state = toJobState(states[index] ?? 'unknown');
    if (state !== undefined) known.set(id, state);
  });
  return known;
};
