/** The real API on a real Postgres and a real folder, listening on a port of its own; time is the test's. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll } from 'vitest';
import { createApi } from '../../src/apps/api/start-api.ts';
import type { Resources } from '../../src/apps/resources.ts';
import { mediaTypeOf, type OutputFormat } from '../../src/core/output.ts';
import { artifactKey } from '../../src/domain/artifacts/artifact-keys.ts';
import { findArtifactsOf } from '../../src/domain/artifacts/artifacts.ts';
import type { Export } from '../../src/domain/exports/export.ts';
import type { Metered } from '../../src/domain/exports/limits.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { openDatabase } from '../../src/platform/db/client.ts';
import { type Listener, openListener } from '../../src/platform/db/listener.ts';
import { createLifecycle } from '../../src/platform/lifecycle/lifecycle.ts';
import type { Logger } from '../../src/platform/log/log.ts';
import type { JobQueue, QueueJob } from '../../src/platform/queue/contract.ts';
import type { Storage } from '../../src/platform/storage/contract.ts';
import { createFolderStorage } from '../../src/platform/storage/folder.ts';
import {
  acceptAndStart,
  complete,
  createKey,
  createOrganization,
  createTestClock,
  registerCompositions,
  silentLog,
  type TestClock,
} from './factories.ts';
import { createTestDatabase } from './postgres.ts';

/** The port in memory: keeps what it is given, and hands nothing out. */
export const createMemoryQueue = (name = 'in-memory'): JobQueue => {
  const jobs = new Map<string, QueueJob>();
  return {
    name,
    backend: 'postgres',
    add: async (added) => {
      for (const job of added) if (!jobs.has(job.id)) jobs.set(job.id, job);
    },
    states: async (ids) => new Map(ids.map((id) => [id, jobs.has(id) ? 'waiting' : 'missing'])),
    remove: async (id) => jobs.delete(id),
    counts: async () => ({ waiting: jobs.size, active: 0, delayed: 0, failed: 0 }),
    ping: async () => undefined,
    startWorker: async () => ({
      close: async () => undefined,
      pause: async () => undefined,
      resume: async () => undefined,
    }),
    close: async () => undefined,
  };
};

export interface Call {
  readonly method?: string;
  readonly key?: string;
  readonly body?: unknown;
  /** Sent as it is, as application/json. */
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface TestApi extends Resources {
  readonly url: string;
  readonly clock: TestClock;
  /** Handlers of notifications that nobody has taken back. */
  listening(): number;
  call(path: string, call?: Call): Promise<Response>;
  close(): Promise<void>;
}

interface TestApiOptions {
  /** Default: a database of its own. */
  readonly databaseUrl?: string;
  /** Variables of the configuration. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Default: a folder. */
  readonly storage?: Storage;
  /** Default: nowhere. */
  readonly log?: Logger;
}

export const startTestApi = async (options: TestApiOptions = {}): Promise<TestApi> => {
  const directory = await mkdtemp(join(tmpdir(), 'rendermill-api-'));
  const own = options.databaseUrl === undefined ? await createTestDatabase() : undefined;
  const databaseUrl = options.databaseUrl ?? own?.url ?? '';
  const { db, close: closeDatabase } = openDatabase({ url: databaseUrl, log: silentLog });
  const opened = await openListener(databaseUrl, silentLog);
  let listening = 0;
  const listener: Listener = {
    ...opened,
    on: (channel, handler) => {
      listening += 1;
      const off = opened.on(channel, handler);
      return () => {
        listening -= 1;
        off();
      };
    },
  };
  const resources = {
    config: loadConfig({ RENDERMILL_HOME: directory, LOG_LEVEL: 'silent', ...options.environment }),
    log: options.log ?? silentLog,
    lifecycle: createLifecycle({ log: silentLog, deadlineMs: 10_000 }),
    clock: createTestClock(),
    databaseUrl,
    db,
    listener,
    queue: createMemoryQueue('render-queue'),
    lambdaQueue: null,
    campaignQueue: createMemoryQueue('campaign-queue'),
    storage: options.storage ?? createFolderStorage({ directory: join(directory, 'storage') }),
  };
  let url = '';
  const server = await createApi(resources, () => url);
  url = await server.listen({ host: '127.0.0.1', port: 0 });
  return {
    ...resources,
    url,

    listening: () => listening,
    call: (path, call = {}) => callApi(url + path, call),
    close: async () => {
      const closed = server.close();
      server.server.closeAllConnections();
      await closed;
      await listener.close();
      await closeDatabase();
      await own?.drop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** One for the whole test file, closed after its last test. */
export const openTestApi = async (options?: TestApiOptions): Promise<TestApi> => {
  const api = await startTestApi(options);
  afterAll(() => api.close());
  return api;
};

const callApi = (url: string, { method, key, body, text, headers = {}, signal }: Call): Promise<Response> => {
  const payload = text ?? (body === undefined ? undefined : JSON.stringify(body));
  return fetch(url, {
    method: method ?? (payload === undefined ? 'GET' : 'POST'),
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(payload === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(payload === undefined ? {} : { body: payload }),
    ...(signal === undefined ? {} : { signal }),
  });
};

export interface Tenant {
  readonly organizationId: string;
  /** A secret key. */
  readonly key: string;
}

/** An organization with a secret key and the example compositions. */
export const createTenant = async (api: TestApi): Promise<Tenant> => {
  const organizationId = await createOrganization(api.db);
  await registerCompositions(api.db, organizationId);
  return { organizationId, key: (await createKey(api.db, organizationId)).key };
};

export interface StoredFile {
  readonly row: Export;
  readonly fileId: string;
  readonly content: Buffer;
}

/** An export that is completed, its file in storage. */
export const storeExport = async (
  api: TestApi,
  who: Metered,
  given: { content?: Buffer; format?: OutputFormat; compositionId?: string } = {},
): Promise<StoredFile> => {
  const { content = Buffer.from('0123456789'), format = 'png', compositionId = 'hero-ad' } = given;
  const { row, fence } = await acceptAndStart(api.db, who, {
    format,
    compositionId,
    kind: format === 'mp4' ? 'video' : 'still',
  });
  const storageKey = artifactKey({ ...fence, organizationId: row.organization_id }, format);
  await api.storage.put(storageKey, Readable.from([content]));
  const sha256 = createHash('sha256').update(content).digest('hex');
  const file = { storageKey, sizeInBytes: content.length, sha256, mediaType: mediaTypeOf(format) };
  await complete(api.db, fence, file, api.clock.now());
  const artifact = (await findArtifactsOf(api.db, [row.id])).get(row.id);
  return { row, fileId: artifact?.file_id ?? '', content };
};

export interface ErrorAnswer {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly requestId: string;
    readonly details?: Readonly<Record<string, unknown>>;
  };
}

/** Status and error of a refusal, in the shape that every refusal has. */
export const refusalOf = async (
  response: Response,
): Promise<ErrorAnswer['error'] & { readonly status: number }> => {
  const { error, ...others } = (await response.json()) as ErrorAnswer;
  if (Object.keys(others).length > 0)
    throw new Error(`an error has more than "error": ${Object.keys(others).join(', ')}`);
  if (error.requestId !== response.headers.get('x-request-id'))
    throw new Error('the request id differs from the header');
  return { status: response.status, ...error };
};
