import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chown, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { RendermillError } from '../../../core/errors.ts';
import type { Logger } from '../../log/log.ts';
import type { Account } from './account.ts';
import type { PostgresBinaries } from './binaries.ts';
import type { Launcher } from './launcher.ts';
import { passwordPath } from './password.ts';
import { serverEnvironment } from './server-environment.ts';

const run = promisify(execFile);
/** initdb takes a second or two; what is older was left by a process that died in it. */
const abandonedAfterMs = 10 * 60_000;

/**
 * Makes the data folder, unless it is there. initdb works aside and the finished folder is renamed into place: of several that
 * start at once one wins, and a folder that exists is always whole.
 */
export const ensureCluster = async (options: {
  directory: string;
  binaries: PostgresBinaries;
  launcher: Launcher;
  account: Account | undefined;
  log: Logger;
}): Promise<void> => {
  const data = join(options.directory, 'data');
  if (await exists(join(data, 'PG_VERSION'))) return giveTo(options.account, data);
  await removeAbandoned(options.directory);
  const aside = join(options.directory, `data.${process.pid}.${randomUUID().slice(0, 8)}`);
  try {
    await initialize(aside, options);
    await rename(aside, data);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!(await exists(join(data, 'PG_VERSION')))) throw error;
    options.log.debug('another process has made the database first');
  }
};

const initialize = async (
  data: string,
  options: {
    directory: string;
    binaries: PostgresBinaries;
    launcher: Launcher;
    account: Account | undefined;
  },
): Promise<void> => {
  await mkdir(data, { mode: 0o700 });
  if (options.account) await chown(data, options.account.uid, options.account.gid);
  const { file, args } = options.launcher.command(options.binaries.initdb, [
    ...['-D', data, '-U', 'postgres', '-A', 'scram-sha-256', `--pwfile=${passwordPath(options.directory)}`],
    ...['-E', 'UTF8', '--locale=C'],
  ]);
  await run(file, args, { ...options.launcher.credentials, env: serverEnvironment() }).catch((cause) => {
    throw new RendermillError('invalid_configuration', {
      message: `The embedded Postgres could not make its data folder in ${options.directory}: ${String(cause.stderr || cause.message).trim()}`,
      cause,
    });
  });
};

/** A folder that root has copied or restored belongs to root, and Postgres starts on its own files only. */
const giveTo = async (account: Account | undefined, data: string): Promise<void> => {
  if (!account || (await stat(data)).uid === account.uid) return;
  await run('chown', ['-R', `${account.uid}:${account.gid}`, data]);
};

const removeAbandoned = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    if (!/^data\.\d+\.[0-9a-f]{8}$/.test(name)) continue;
    const path = join(directory, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > abandonedAfterMs) await rm(path, { recursive: true, force: true });
  }
};

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return false;
      throw error;
    },
  );
