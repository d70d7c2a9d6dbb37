import { Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { RendermillError } from '../../core/errors.ts';
import type { Logger } from '../log/log.ts';
import { type Broker, type BrokerSettings, type JobData, streams, toJobState } from './broker.ts';
import { burstLog } from './burst-log.ts';
import { connection, connectRedis } from './connect-redis.ts';
import type { JobState } from './contract.ts';
import { toQueueError } from './errors.ts';
import { settledWithin } from './settled-within.ts';

const closeTimeoutMs = 2_000;

export const openRedisBroker = async (settings: BrokerSettings, log: Logger): Promise<Broker> => {
  const report = burstLog(log, 'trouble with Redis');
  const redis = await connectRedis(settings.url, report);
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
