import { spawn } from 'node:child_process';
import { open, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PostgresBinaries } from './binaries.ts';
import type { Launcher } from './launcher.ts';
import { serverEnvironment } from './server-environment.ts';
import { serverArguments } from './settings.ts';

export interface LaunchedServer {
  readonly pid: number | undefined;
  readonly exited: boolean;
}

const logLimitBytes = 10 * 1024 * 1024;

/**
 * Starts the server in a session of its own: it neither dies with us (the next start adopts it) nor from the Ctrl-C that is
 * meant for us (it would, then, be gone before the renders that are still finishing).
 */
export const launchServer = async (options: {
  directory: string;
  port: number;
  binaries: PostgresBinaries;
  launcher: Launcher;
}): Promise<LaunchedServer> => {
  const args = serverArguments(join(options.directory, 'data'), options.port);
  const { file, args: all } = options.launcher.command(options.binaries.postgres, args);
  const log = await openLog(options.directory);
  try {
    const child = spawn(file, all, {
      ...options.launcher.credentials,
      env: serverEnvironment(),
      detached: true,
      windowsHide: true,
      stdio: ['ignore', log.fd, log.fd],
    });
    const server = { pid: child.pid, exited: false };
    const ended = () => {
      server.exited = true;
    };
    child.once('exit', ended).once('error', ended);
    child.unref();
    return server;
  } finally {
    await log.close();
  }
};

export const logPath = (directory: string): string => join(directory, 'postgres.log');

const openLog = async (directory: string) => {
  const path = logPath(directory);
  const size = (await stat(path).catch(() => ({ size: 0 }))).size;
  if (size > logLimitBytes) await rename(path, `${path}.old`).catch(() => undefined);
  return open(path, 'a', 0o600);
};

export const lastLogLines = async (directory: string, count = 12): Promise<string> => {
  const text = await readFile(logPath(directory), 'utf8').catch(() => '');
  return text.trimEnd().split('\n').slice(-count).join('\n');
};
