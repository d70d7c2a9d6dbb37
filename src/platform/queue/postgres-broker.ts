import { type BackendFactory, createPostgresBackend, withBackend } from 'bullmq';
import { RendermillError } from '../../core/errors.ts';
import { isDatabaseUnavailable } from '../db/errors.ts';
import type { Logger } from '../log/log.ts';
import { type Broker, type BrokerSettings, type JobData, streams, toJobState } from './broker.ts';
import { type BurstLog, burstLog } from './burst-log.ts';
import type { JobState } from './contract.ts';
import { toQueueError } from './errors.ts';
import { settledWithin } from './settled-within.ts';

const schema = 'bullmq';
const connectTimeoutMs = 3_000;
const producerQueryTimeoutMs = 5_000;
const workerQueryTimeoutMs = 20_000;
const closeTimeoutMs = 2_000;
/** Two at most for the queue and for each worker, and one more of a worker's to LISTEN on; one stays open, ready to use. */
const pool = {
  max: 2,
  min: 1,
  connectionTimeoutMillis: connectTimeoutMs,
  keepAlive: true,
  application_name: 'rendermill-queue',
  // A crash of the server may lose the queue's last half second, as a wipe would lose all of it: the feeder plans it again.
  // Waiting for the disk cost 0.2 ms a statement at the median and 3 ms at the 95th percentile.
  options: '-c synchronous_commit=off',
};
/** An idle worker looks by itself this often, should a NOTIFY be lost. BullMQ's own ceiling after an outage is an hour. */
const longestWaitSeconds = 5;

/** BullMQ's bulk statement makes temporary tables, which takes 5 ms; one job takes 0.5 ms. */
const fewJobs = 8;

type PostgresBackendFactory = typeof createPostgresBackend;
type FactoryOf<F> = F extends BackendFactory<infer B, infer C> ? BackendFactory<B, C> : never;

export const openPostgresBroker = async (settings: BrokerSettings, log: Logger): Promise<Broker> => {
  const report = burstLog(log, "trouble with the queue's Postgres");
  const { Queue, Worker } = withBackend(steadyBackend(report));
  const connection = { ...pool, connectionString: settings.url, schema };
  const queue = new Queue<JobData>(settings.name, {
    // Safe when many processes start at once: BullMQ's migrations run in one transaction, under an advisory lock.
    connection: { ...connection, migrate: true, query_timeout: producerQueryTimeoutMs },
    streams,
    defaultJobOptions: settings.jobOptions,
  });
  queue.on('error', report);
  const close = async (): Promise<void> => {
    await settledWithin(queue.close(), closeTimeoutMs);
  };
  try {
    await queue.waitUntilReady();
  } catch (error) {
    await close();
    throw toOpenError(error);
  }
  const { pool: connections } = queue.getBackend().connection;

  return {
    kind: 'postgres',
    queue,
    add: async (jobs) => {
      if (jobs.length > fewJobs) {
        await queue.addBulk(jobs);
        return;
      }
      for (const { name, data, opts } of jobs) await queue.add(name, data, opts);
    },
    createWorker: (process, workerSettings) =>
      new Worker<JobData>(settings.name, process, {
        ...workerSettings,
        connection: { ...connection, query_timeout: workerQueryTimeoutMs },
      }),
    states: async (ids) => {
      const { rows } = await connections.query<{ id: string; state: string }>(
        'SELECT id, state::text FROM job WHERE queue = $1 AND id = ANY($2::text[])',
        [settings.name, ids],
      );
      const known = new Map<string, JobState>();
      for (const row of rows) {
        const state = toJobState(row.state);
        if (state !== undefined) known.set(row.id, state);
      }
      return known;
    },
    ping: async () => {
      await connections.query('SELECT 1');
    },
    close,
  };
};

/**
 * BullMQ's backend, made to live through an outage. BullMQ waits and tries again after an error that it knows to be a lost
 * connection, and it knows ECONNREFUSED only; of the dozen other faces that Postgres' going away has, it takes each for a bug
 * of the job's: it asks again at once, without a pause, and records a job as failed whose success it could not store.
 */
const steadyBackend =
  (report: BurstLog): FactoryOf<PostgresBackendFactory> =>
  (name, options, factoryOptions) => {
    const backend = createPostgresBackend(name, options, factoryOptions);
    Object.defineProperty(backend, 'maximumBlockTimeout', { value: longestWaitSeconds });
    const connections = backend.connection.pool;
    const query: typeof connections.query = connections.query.bind(connections);
    connections.query = async (text, params) => {
      try {
        return await query(text, params);
      } catch (error) {
        if (!isAway(error)) throw error;
        report(error);
        throw Object.assign(new Error('The connection to Postgres was lost.', { cause: error }), {
          code: 'ECONNREFUSED',
        });
      }
    };
    return backend;
  };

const isAway = (error: unknown): boolean =>
  isDatabaseUnavailable(error) || (error instanceof Error && error.message === 'Query read timeout');

const toOpenError = (error: unknown): RendermillError => {
  if (isAway(error) || !(error instanceof Error)) return toQueueError(error);
  return new RendermillError('invalid_configuration', {
    message: `The queue's tables could not be set up in the Postgres of DATABASE_URL: ${error.message}`,
    cause: error,
  });
};
