import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { startEmbeddedPostgres } from '../../../../src/platform/db/embedded/embedded-postgres.ts';
import { lookAtServer } from '../../../../src/platform/db/embedded/look-at-server.ts';
import { createLogger } from '../../../../src/platform/log/log.ts';

export const silent = createLogger({ level: 'silent' });
export const start = (directory: string) => startEmbeddedPostgres({ directory, log: silent });

const script = join(import.meta.dirname, 'start-in-child.ts');
const folders: string[] = [];
const children: ChildProcess[] = [];

export interface Started {
  readonly url: string;
  readonly adopted: boolean;
  readonly pid: number;
  readonly code?: string;
  readonly message?: string;
}

export const newFolder = async (mode = 0o755): Promise<string> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'embedded-postgres-')));
  folders.push(folder);
  await chmod(folder, mode);
  return folder;
};

/** Resolves with the line that the child prints once its server answers (or has failed to). */
export const startInChild = async (
  args: readonly string[],
  options: { through?: readonly string[] } & SpawnOptions = {},
): Promise<{ child: ChildProcess; started: Started }> => {
  const { through = [], ...rest } = options;
  const [file = '', ...all] = [...through, process.execPath, '--import', 'tsx', script, ...args];
  const child = spawn(file, all, { ...rest, stdio: ['pipe', 'pipe', 'inherit'] });
  children.push(child);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close')])) as [string | undefined];
  if (line === undefined) throw new Error(`the child ended without an answer: ${child.exitCode}`);
  return { child, started: JSON.parse(line) as Started };
};

export const kill = async (child: ChildProcess, signal: NodeJS.Signals): Promise<void> => {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
};

export const query = async (url: string, text: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
};

export const runningPid = async (directory: string): Promise<number | undefined> => {
  const view = await lookAtServer(join(directory, 'data')).catch(() => undefined);
  return view?.type === 'ready' || view?.type === 'busy' ? view.pid : undefined;
};

const subfolders = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(folder, entry.name));
};

/** Leaves no child, no server and no folder of a test behind. */
export const cleanUp = async (): Promise<void> => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const folder of folders.splice(0)) {
    for (const directory of [folder, ...(await subfolders(folder))]) {
      if (await runningPid(directory)) await (await start(directory)).stop();
    }
    await rm(folder, { recursive: true, force: true });
  }
};
