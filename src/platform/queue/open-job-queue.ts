import type { Logger } from '../log/log.ts';
import type { BrokerSettings, WorkerSettings } from './broker.ts';
import type { JobQueue } from './contract.ts';
import { openPostgresBroker } from './postgres-broker.ts';
import { openRedisBroker } from './redis-broker.ts';
import { RenderQueue } from './render-queue.ts';

export interface JobQueueOptions {
  readonly name: string;
  readonly backend: { readonly kind: 'redis' | 'postgres'; readonly url: string };
  readonly log: Logger;
  /** A killed worker's job is taken over after at most lockDurationMs + 2 × stalledIntervalMs. */
  readonly lockDurationMs?: number;
  readonly stalledIntervalMs?: number;
  /** A job whose worker died more often than this fails. BullMQ's own 1 is for work that never outlives a deployment. */
  readonly maxStalledCount?: number;
  readonly attempts?: number;
  /** Before the second attempt; doubled before each further one, less a random part of up to a half. */
  readonly backoffMs?: number;
}

const hour = 3_600;
/** Finished jobs stay for a look at them and so that a late duplicate of an `add` does nothing; the rows in Postgres stay longer. */
const keepCompleted = { age: hour, count: 1_000 };
const keepFailed = { age: 24 * hour, count: 1_000 };

/** How long an idle worker waits for a job's announcement before it looks by itself. */
const drainDelaySeconds = 5;
/** Between two attempts to reach a queue that is away; BullMQ's own is 15 s. */
const outageRetryMs = 500;

/**
 * Connects, and prepares and checks the server. Rejects with `queue_unavailable` when it cannot be reached, and with
 * `invalid_configuration` when it must not be used as it is.
 */
export const openJobQueue = async ({
  name,
  backend,
  log,
  lockDurationMs = 10_000,
  stalledIntervalMs = 5_000,
  maxStalledCount = 4,
  attempts = 3,
  backoffMs = 2_000,
}: JobQueueOptions): Promise<JobQueue> => {
  const settings: BrokerSettings = {
    name,
    url: backend.url,
    jobOptions: {
      attempts,
      backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
      removeOnComplete: keepCompleted,
      removeOnFail: keepFailed,
      stackTraceLimit: 1,
    },
  };
  const workerSettings: WorkerSettings = {
    autorun: false,
    lockDuration: lockDurationMs,
    stalledInterval: stalledIntervalMs,
    maxStalledCount,
    drainDelay: drainDelaySeconds,
    runRetryDelay: outageRetryMs,
  };
  const queueLog = log.child({ queue: name });
  const open = backend.kind === 'redis' ? openRedisBroker : openPostgresBroker;
  return new RenderQueue(name, await open(settings, queueLog), workerSettings, queueLog);
};
