/** What every process of ours opens, in the order in which it depends on itself; the lifecycle closes it in reverse. */

import { join } from 'node:path';
import { sql } from 'kysely';
import { RendermillError } from '../core/errors.ts';
import { type Clock, systemClock } from '../platform/clock/clock.ts';
import { type Database, openDatabase } from '../platform/db/client.ts';
import { startEmbeddedPostgres } from '../platform/db/embedded/embedded-postgres.ts';
import { type Listener, openListener } from '../platform/db/listener.ts';
import type { JobQueue } from '../platform/queue/contract.ts';
import { openJobQueue } from '../platform/queue/open-job-queue.ts';
import type { Storage } from '../platform/storage/contract.ts';
import { embeddedDatabaseExists } from './embedded-database-exists.ts';
import { keepDatabase } from './keep-database.ts';
import { openStorage } from './open-storage.ts';
import type { Process } from './process.ts';

export interface Resources extends Process {
  readonly clock: Clock;
  readonly databaseUrl: string;
  readonly db: Database;
  readonly listener: Listener;
  /** The render queue: of what workers render themselves. */
  readonly queue: JobQueue;
  /** Of what goes on at AWS; null: this installation does not render there. */
  readonly lambdaQueue: JobQueue | null;
  readonly campaignQueue: JobQueue;
  readonly storage: Storage;
}

export const renderQueueName = 'render-queue';
export const campaignQueueName = 'campaign-queue';
export const lambdaQueueName = 'lambda-queue';

export interface RecordsOptions {
  /** An embedded database that was found running belongs to whoever runs it and is left running, unless this process takes it over. */
  readonly owner: boolean;
  /** Makes an embedded database where there is none. Else a mistyped folder would look like one whose records are lost. */
  readonly mayCreate?: boolean;
}

/** The configured database, or the embedded one of the home folder. */
export const openDatabaseUrl = async (
  { config, log, lifecycle }: Process,
  { owner, mayCreate = false }: RecordsOptions,
): Promise<string> => {
  if (config.DATABASE_URL !== undefined) return config.DATABASE_URL;
  const directory = join(config.home, 'postgres');
  if (!mayCreate && !(await embeddedDatabaseExists(directory))) {
    throw new RendermillError('invalid_configuration', {
      message: `Nothing is in ${config.home}: run rendermill up there, or set RENDERMILL_HOME or DATABASE_URL.`,
    });
  }
  const embedded = await startEmbeddedPostgres({ directory, log });
  if (owner || !embedded.adopted) await keepDatabase({ config, log, lifecycle }, directory, embedded);
  return embedded.url;
};

/** For commands that only read and write records. */
export const openRecords = async (
  process: Process,
  options: RecordsOptions,
): Promise<{ db: Database; databaseUrl: string }> => {
  const databaseUrl = await openDatabaseUrl(process, options);
  const { db, close } = openDatabase({ url: databaseUrl, log: process.log });
  process.lifecycle.onStop('database connections', close);
  return { db, databaseUrl };
};

export const openResources = async (
  process: Process,
  records: { db: Database; databaseUrl: string },
): Promise<Resources> => {
  const { config, log, lifecycle } = process;
  const { db, databaseUrl } = records;
  const listener = await openListener(databaseUrl, log);
  lifecycle.onStop('database listener', () => listener.close());
  const queue = await openQueue(process, databaseUrl, renderQueueName);
  lifecycle.onStop('render queue', () => queue.close());
  const lambdaQueue =
    config.LAMBDA_FUNCTION === undefined ? null : await openQueue(process, databaseUrl, lambdaQueueName);
  lifecycle.onStop('lambda queue', async () => lambdaQueue?.close());
  const campaignQueue = await openQueue(process, databaseUrl, campaignQueueName);
  lifecycle.onStop('campaign queue', () => campaignQueue.close());
  const storage = await openStorage(process);
  return {
    ...process,
    clock: systemClock,
    databaseUrl,
    db,
    listener,
    queue,
    lambdaQueue,
    campaignQueue,
    storage,
  };
};

const openQueue = ({ config, log }: Process, databaseUrl: string, name: string): Promise<JobQueue> =>
  openJobQueue({
    name,
    backend:
      config.REDIS_URL === undefined
        ? { kind: 'postgres', url: databaseUrl }
        : { kind: 'redis', url: config.REDIS_URL },
    lockDurationMs: config.QUEUE_LOCK_MS,
    stalledIntervalMs: Math.ceil(config.QUEUE_LOCK_MS / 2),
    log,
  });

/** A database serves one environment; the log takes its name from there. */
export const nameEnvironment = async (db: Database, environment: string): Promise<void> => {
  await sql`UPDATE installation SET environment = ${environment} WHERE environment <> ${environment}`.execute(
    db,
  );
};
