/** The service that is soaked: `up`, and a second worker beside it, as processes of their own in a folder of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { countWorkers } from '../../src/domain/exports/workers.ts';
import { type Database, openDatabase } from '../../src/platform/db/client.ts';
import { startEmbeddedPostgres } from '../../src/platform/db/embedded/embedded-postgres.ts';
import { createLogger } from '../../src/platform/log/log.ts';
import { type Service, startService } from '../support/start-service.ts';
import type { SoakFolders } from './check-files.ts';
import { waitUntil } from './wait-until.ts';

const command = fileURLToPath(new URL('../rendermill', import.meta.url));
const workerStartMs = 120_000;

export interface SoakService extends SoakFolders {
  readonly url: string;
  readonly key: string;
  readonly apiPid: number;
  readonly workerPid: number;
  readonly db: Database;
  /** Every event, a line of JSON each. */
  readonly eventFile: string;
  /** Rejects where it does not end well; the database goes on. */
  stopWorker(): Promise<void>;
  /** Everything that is left of it. May be called twice. Rejects where that does not end well. */
  stop(): Promise<void>;
}

/** Whoever soaks has no wish to tell others of it: set, but empty, they are not taken from a `.env` either. */
const outside = [
  ...[
    'DATABASE_URL',
    'REDIS_URL',
    'STORAGE_DIRECTORY',
    'S3_BUCKET',
    'LAMBDA_FUNCTION',
    'LAMBDA_BUCKET',
    'RENDER_MODE',
  ],
  ...[
    'POSTHOG_PROJECT_API_KEY',
    'POSTHOG_API_KEY',
    'DOMAIN_EVENT_WEBHOOK_URL',
    'META_PIXEL_ID',
    'META_ACCESS_TOKEN',
  ],
];

const environmentOf = (folder: string, eventFile: string): Record<string, string> => ({
  ...Object.fromEntries(outside.map((name) => [name, ''])),
  TMPDIR: join(folder, 'tmp'),
  EVENT_FILE: eventFile,
  WORKER_CONCURRENCY: '1',
  // Often, so that each browser's begin and end happens many times.
  RECYCLE_BROWSER_AFTER: '25',
  CHUNK_AFTER_SECONDS: '5',
  SHUTDOWN_SECONDS: '10',
  MIN_FREE_DISK_MB: '1',
  LOG_LEVEL: 'error',
  // One key asks for everything here.
  RATE_LIMIT_SECRET_PER_MINUTE: '0',
});

const endWorker = async (worker: ChildProcess): Promise<void> => {
  if (worker.exitCode === null && worker.signalCode === null) {
    const exited = once(worker, 'exit');
    worker.kill('SIGTERM');
    await exited;
  }
  if (worker.exitCode !== 0)
    throw new Error(`the worker ended with ${worker.signalCode ?? `code ${worker.exitCode}`}`);
};

const startWorker = async (environment: Record<string, string>, db: Database): Promise<ChildProcess> => {
  const worker = spawn(command, ['worker'], {
    env: { ...process.env, ...environment },
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const living = async () => Object.values(await countWorkers(db)).reduce((all, one) => all + one, 0);
  const isThere = await waitUntil(async () => worker.exitCode !== null || (await living()) >= 2, {
    withinMs: workerStartMs,
  });
  if (isThere && worker.exitCode === null) return worker;
  // However it ended: what is told is that it never came.
  await endWorker(worker).catch(() => undefined);
  throw new Error('the second worker did not start');
};

const openRecords = async (home: string) => {
  const log = createLogger({ level: 'warn' });
  const { url } = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  return openDatabase({ url, log, maxConnections: 4 });
};

/** Else every process of the service would compile all sources anew. */
const shareCompiled = async (temporary: string): Promise<void> => {
  const name = `tsx-${userInfo().uid}`;
  await mkdir(join(tmpdir(), name), { recursive: true });
  await symlink(join(tmpdir(), name), join(temporary, name));
};

/** `folder`: absolute and its own; nothing of it is removed. */
export const openSoakService = async (folder: string): Promise<SoakService> => {
  const home = join(folder, 'home');
  const eventFile = join(folder, 'events.jsonl');
  const environment = environmentOf(folder, eventFile);
  const temporary = join(folder, 'tmp');
  await mkdir(temporary, { recursive: true });
  await shareCompiled(temporary);
  const service: Service = await startService({ home, environment });
  const { db, close } = await openRecords(home);
  const stopAll = async (worker?: ChildProcess) => {
    // What came of the worker is told by stopWorker; the database that it needs ends with `up`.
    if (worker !== undefined) await endWorker(worker).catch(() => undefined);
    await close();
    await service.stop();
  };
  let stopping: Promise<void> | undefined;
  try {
    const worker = await startWorker({ ...environment, RENDERMILL_HOME: home }, db);
    return {
      home,
      temporary,
      eventFile,
      db,
      url: service.url,
      key: service.key,
      apiPid: service.process.pid ?? 0,
      workerPid: worker.pid ?? 0,
      stopWorker: () => endWorker(worker),
      stop: () => {
        stopping ??= stopAll(worker);
        return stopping;
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
};
