/**
 * A whole service on scratch data: a real Postgres database, a real folder of files, the real API on a real port, the example
 * project bundled, and workers as processes of their own that can be killed.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startApi } from '../../src/apps/api/start-api.ts';
import { openRecords, openResources, type Resources } from '../../src/apps/resources.ts';
import { createApiKey } from '../../src/domain/accounts/api-keys.ts';
import { decideRenderMode, ensureOrganization } from '../../src/domain/accounts/organizations.ts';
import { setTier } from '../../src/domain/accounts/users.ts';
import { artifactPrefix } from '../../src/domain/artifacts/artifact-keys.ts';
import { readEventsOf } from '../../src/domain/events/read-events.ts';
import { bundleProject } from '../../src/features/compositions/bundle-project.ts';
import type { Checkpoint } from '../../src/features/renders/render-deps.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { createLifecycle } from '../../src/platform/lifecycle/lifecycle.ts';
import { createLogger } from '../../src/platform/log/log.ts';
import { findBrowser } from '../../src/platform/renderer/browser/find-browser.ts';
import { createTestDatabase } from './postgres.ts';

const exampleProject = fileURLToPath(new URL('../../remotion', import.meta.url));
const workerEntry = fileURLToPath(new URL('./killable-worker.ts', import.meta.url));

export interface Scene {
  readonly resources: Resources;
  readonly home: string;
  readonly url: string;
  readonly key: string;
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Accepts a render for ada, who has no limit, and returns its export's id. */
  accept(request: Record<string, unknown>): Promise<string>;
  /** Resolves when the worker takes work. */
  startWorker(environment?: Record<string, string>): Promise<ChildProcess>;
  /** Starts a worker that kills itself at the checkpoint; resolves when it has. */
  killWorkerAt(point: Checkpoint): Promise<void>;
  /** Of the events about an export or a batch. */
  eventNamesOf(id: string): Promise<readonly string[]>;
  /** Keys in storage of what was rendered for an export. */
  filesOf(id: string): Promise<readonly string[]>;
  /** Resolves when none of its processes is left. */
  nothingRuns(): Promise<unknown>;
  close(): Promise<void>;
}

export const organizationId = 'acme';

export const openScene = async (environment: Record<string, string> = {}): Promise<Scene> => {
  const database = await createTestDatabase();
  const home = await mkdtemp(join(tmpdir(), 'rendermill-scene-'));
  const variables = {
    DATABASE_URL: database.url,
    RENDERMILL_HOME: home,
    PORT: '0',
    LOG_LEVEL: 'error',
    QUEUE_LOCK_MS: '2000',
    WORKER_CONCURRENCY: '1',
    MIN_FREE_DISK_MB: '1',
    SHUTDOWN_SECONDS: '1',
    ...environment,
  };
  const config = loadConfig(variables);
  const log = createLogger({ level: config.LOG_LEVEL });
  const lifecycle = createLifecycle({ log, deadlineMs: 20_000 });
  const owner = { config, log, lifecycle };
  const resources = await openResources(owner, await openRecords(owner, { owner: false }));
  const key = await createTenant(resources);
  await bundleExample(resources, home);
  const { url } = await startApi(resources);
  const workers: ChildProcess[] = [];

  const call: Scene['call'] = (method, path, body, headers = {}) =>
    fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const startWorker: Scene['startWorker'] = async (more = {}) => {
    const worker = fork(workerEntry, {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, ...variables, ...more },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    workers.push(worker);
    const exit = once(worker, 'exit').then(() => 'exit');
    const first = await Promise.race([once(worker, 'message').then(() => 'ready'), exit]);
    if (first === 'exit' && more.KILL_AT === undefined)
      throw new Error('the worker ended before it was ready');
    return worker;
  };

  return {
    resources,
    home,
    url,
    key,
    call,
    startWorker,
    killWorkerAt: async (point) => {
      const worker = await startWorker({ KILL_AT: point });
      if (worker.exitCode === null && worker.signalCode === null) await once(worker, 'exit');
      if (worker.signalCode !== 'SIGKILL') throw new Error(`the worker ended before it came to "${point}"`);
    },
    eventNamesOf: async (id) =>
      (await readEventsOf(resources.db, { organizationId, id, afterPosition: 0 })).map(({ event }) => event),
    filesOf: async (id) => {
      const keys: string[] = [];
      for await (const { key } of resources.storage.list(artifactPrefix(organizationId, id))) keys.push(key);
      return keys;
    },
    nothingRuns: () =>
      eventually(
        () => processesOf(home),
        (found) => found.length === 0,
        { what: 'the end of all processes' },
      ),
    accept: async (request) => {
      const response = await call('POST', '/api/render', { userId: 'ada', projectId: 'launch', ...request });
      const answer = (await response.json()) as { id: string };
      if (response.status !== 202) throw new Error(`not accepted: ${JSON.stringify(answer)}`);
      return answer.id;
    },
    close: async () => {
      await Promise.all(workers.map(endWorker));
      await lifecycle.stop('the test is over');
      await rm(home, { recursive: true, force: true, maxRetries: 3 });
      await database.drop();
    },
  };
};

export const endWorker = async (worker: ChildProcess): Promise<void> => {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  const exited = once(worker, 'exit');
  worker.kill('SIGTERM');
  await exited;
};

const createTenant = ({ db }: Resources): Promise<string> =>
  db.transaction().execute(async (tx) => {
    await ensureOrganization(tx, { id: organizationId });
    await decideRenderMode(tx, organizationId, 'lambda', true);
    await setTier(tx, organizationId, 'ada', 'unlimited', new Date());
    return (await createApiKey(tx, { organizationId, kind: 'secret', name: 'test' })).key;
  });

const bundleExample = async (resources: Resources, home: string): Promise<void> => {
  const browser = await findBrowser({});
  const workDirectory = join(home, 'cache');
  await mkdir(workDirectory, { recursive: true });
  await bundleProject(
    { ...resources, browserExecutable: browser.path, workDirectory, allowedHosts: [] },
    { organizationId, projectPath: exampleProject },
  );
};

/** Processes that belong to the folder: their command line or, for those that have one, their environment names it. */
export const processesOf = async (folder: string): Promise<readonly string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const [commandLine, variables, stat] = await Promise.all(
        ['cmdline', 'environ', 'stat'].map((file) =>
          readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => ''),
        ),
      );
      const isZombie = / Z /.test((stat ?? '').slice((stat ?? '').lastIndexOf(')')));
      return !isZombie && `${commandLine}${variables}`.includes(folder)
        ? `${pid} ${(commandLine ?? '').replaceAll('\0', ' ')}`
        : '';
    }),
  );
  return found.filter(Boolean);
};

/** Polls until the check holds; fails with what it last saw. */
export const eventually = async <T>(
  check: () => Promise<T>,
  holds: (seen: T) => boolean,
  options: { withinMs?: number; what?: string } = {},
): Promise<T> => {
  const deadline = Date.now() + (options.withinMs ?? 30_000);
  for (;;) {
    const seen = await check();
    if (holds(seen)) return seen;
    if (Date.now() > deadline)
      throw new Error(`${options.what ?? 'it'} did not happen in time; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};
