/** A service whose parts are processes of their own, as in production: Postgres, the API, and workers, whose CPU is what counts. */
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '../../../src/client/client.ts';
import { liveCapacity } from '../../../src/domain/exports/workers.ts';
import { type Database, openDatabase } from '../../../src/platform/db/client.ts';
import { startEmbeddedPostgres } from '../../../src/platform/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../../../src/platform/db/migrate.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { freePort } from '../../../test/support/redis.ts';
import { measureWork } from './cpu-meter.ts';
import { root, type Workshop, warmUpFrames, warmUpId } from './job.ts';
import { endProcess, hasEnded, pidOf, startCommand } from './processes.ts';
import { createTenant } from './tenant.ts';

const command = join(root, 'scripts', 'rendermill');
const startTimeoutMs = 120_000;
/** Each worker should have rendered once; one that is quick may take its neighbour's turn. */
const warmUpRounds = 5;
const calmLookMs = 2_000;
const calmCpuSeconds = 0.1;
/** Below the usual 20, so that a short look is cut as well. */
export const chunkAfterSeconds = 5;

export const who = { userId: 'bench', projectId: 'bench' } as const;

export interface Workers {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface ScaleService {
  readonly db: Database;
  readonly client: Client;
  /** Resolves when each of them has rendered (its browser is open, the bundle is unpacked) and come to rest. */
  startWorkers(count: number): Promise<Workers>;
  stop(): Promise<void>;
}

const until = async (
  check: () => Promise<boolean>,
  what: string,
  children: readonly ChildProcess[],
): Promise<void> => {
  const deadline = Date.now() + startTimeoutMs;
  while (!(await check())) {
    if (children.some(hasEnded)) throw new Error(`${what} ended instead of starting`);
    if (Date.now() > deadline) throw new Error(`${what} did not start within ${startTimeoutMs / 1000} s`);
    await sleep(100);
  }
};

const answers = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

/** The caller's own database, queue and files stay out of it. */
const environmentOf = (databaseUrl: string, home: string, port: number, { browserExecutable }: Workshop) => {
  const { REDIS_URL: _redis, STORAGE_DIRECTORY: _storage, S3_BUCKET: _bucket, ...others } = process.env;
  const { RENDER_MODE: _mode, LAMBDA_FUNCTION: _function, ...inherited } = others;
  return {
    ...inherited,
    DATABASE_URL: databaseUrl,
    RENDERMILL_HOME: home,
    HOST: '127.0.0.1',
    PORT: String(port),
    LOG_LEVEL: 'warn',
    // One key asks for everything here.
    RATE_LIMIT_SECRET_PER_MINUTE: '0',
    // A worker is one machine: one render at a time, which takes all cores.
    WORKER_CONCURRENCY: '1',
    CHUNK_AFTER_SECONDS: String(chunkAfterSeconds),
    BROWSER_EXECUTABLE: browserExecutable,
  };
};

export const startScaleService = async (workshop: Workshop): Promise<ScaleService> => {
  const home = join(workshop.directory, 'home');
  const log = createLogger({ level: 'warn' });
  const postgres = await startEmbeddedPostgres({ directory: join(home, 'postgres'), log });
  const { db, close } = openDatabase({ url: postgres.url, log });
  const closeRecords = async (): Promise<void> => {
    await close();
    await postgres.stop();
  };
  try {
    await migrateDatabase(postgres.url, log);
    const key = await createTenant(db, home, workshop);
    const port = await freePort();
    const env = environmentOf(postgres.url, home, port, workshop);
    const start = (part: 'api' | 'worker') =>
      startCommand(command, [part], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    const api = start('api');
    const url = `http://127.0.0.1:${port}`;
    await until(() => answers(url), 'the API', [api]);
    const client = createClient({ url, key });
    await client.putUser(who.userId, { tier: 'unlimited' });
    return {
      db,
      client,
      startWorkers: async (count) => {
        const workers = Array.from({ length: count }, () => start('worker'));
        const areLive = async () => (await liveCapacity(db)) === count;
        await until(areLive, 'the workers', workers);
        await warmUp({ db, client }, workshop, count);
        const pids = workers.map(pidOf);
        await untilCalm(pids);
        return { pids, stop: async () => void (await Promise.all(workers.map(endProcess))) };
      },
      stop: async () => {
        await endProcess(api);
        await closeRecords();
      },
    };
  } catch (error) {
    await closeRecords();
    throw error;
  }
};

const warmUp = async (
  { db, client }: Pick<ScaleService, 'db' | 'client'>,
  { job: { width, height } }: Workshop,
  count: number,
): Promise<void> => {
  const order = { ...who, compositionId: warmUpId, format: 'mp4', width, height } as const;
  const frameRange: [number, number] = [0, warmUpFrames - 1];
  const warm = new Set<string | null>();
  for (let round = 1; round <= warmUpRounds && warm.size < count; round += 1) {
    const wanted = Array.from({ length: count }, (_, index) =>
      // A file that is there already would be used again.
      client.renderVideo({ ...order, frameRange, props: { take: `${Date.now()} ${index}` } }),
    );
    const ids = (await Promise.all(wanted)).map(({ id }) => id);
    const rows = await db.selectFrom('export').select('worker_id').where('id', 'in', ids).execute();
    for (const { worker_id: id } of rows) warm.add(id);
  }
};

/** After its first render a worker makes a process ready for the next tenant's: that is no part of the video. */
const untilCalm = async (pids: readonly number[]): Promise<void> => {
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    const { cpuSeconds } = await measureWork(pids, () => sleep(calmLookMs));
    if (cpuSeconds <= calmCpuSeconds * pids.length) return;
    if (Date.now() > deadline)
      throw new Error(`idle workers used ${cpuSeconds} s of CPU in ${calmLookMs} ms`);
  }
};
