import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';

const startTimeoutMs = 10_000;

/** A shell that ends the server when its input closes: when we say so, and also when this process is killed. */
const endsWithUs = '"$@" & cat > /dev/null; kill $!; wait';

export interface TestRedis {
  readonly url: string;
  readonly pid: number;
  /** Ends the server and keeps its data; `start` brings it back on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends the server and removes its data. */
  remove(): Promise<void>;
}

/** A private Redis, set up as ours must be: no eviction, an append-only file. `null` where no redis-server is installed. */
export const startTestRedis = async (settings: readonly string[] = []): Promise<TestRedis | null> => {
  const program = await findProgram('redis-server');
  if (program === null) return null;
  const folder = await mkdtemp(join(tmpdir(), 'rendermill-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settingsOfOurs =
    `--port ${port} --bind 127.0.0.1 --appendonly yes --maxmemory-policy noeviction`.split(' ');
  const command = [program, ...settingsOfOurs, '--dir', folder, '--save', '', ...settings];
  let keeper: ChildProcess;
  let pid = 0;

  const start = async (): Promise<void> => {
    keeper = spawn('sh', ['-c', endsWithUs, 'sh', ...command], { stdio: ['pipe', 'ignore', 'ignore'] });
    try {
      pid = await serverPid(url);
    } catch (error) {
      keeper.stdin?.end();
      throw error;
    }
  };
  const stop = async (): Promise<void> => {
    if (keeper.exitCode !== null || keeper.signalCode !== null) return;
    const exited = once(keeper, 'exit');
    keeper.stdin?.end();
    await exited;
  };

  await start();
  return {
    url,
    get pid() {
      return pid;
    },
    start,
    stop,
    remove: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Waits until the server answers. */
const serverPid = async (url: string): Promise<number> => {
  const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: null, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  const deadline = setTimeout(() => redis.disconnect(), startTimeoutMs);
  try {
    await redis.connect().catch(() => undefined);
    return Number(/^process_id:(\d+)/m.exec(await redis.info('server'))?.[1]);
  } finally {
    clearTimeout(deadline);
    redis.disconnect();
  }
};

const findProgram = async (name: string): Promise<string | null> => {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return null;
};

/** A port of 127.0.0.1 that was free a moment ago. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('a TCP server has no port'));
        else resolve(address.port);
      });
    });
  });
