import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { RendermillError } from '../../../core/errors.ts';
import type { Logger } from '../../log/log.ts';
import type { PostgresBinaries } from './binaries.ts';
import { serverProcess } from './process-state.ts';

/** A fast shutdown writes a checkpoint; an immediate one leaves that to the next start. */
const fastMs = 10_000;
const immediateMs = 5_000;
const pauseMs = 10;

interface RunningServer {
  readonly pid: number;
  readonly dataDirectory: string;
  readonly binaries: PostgresBinaries;
  readonly log: Logger;
}

/** Resolves when the server is gone; nothing happens where it is gone already, or its pid has become another program's. */
export const stopServer = async (server: RunningServer): Promise<void> => {
  if (await isGone(server)) return;
  await ask(server, 'SIGINT');
  if (await becomesGone(server, fastMs)) return;
  server.log.warn(
    { pid: server.pid },
    `the embedded Postgres did not stop within ${fastMs} ms; stopping it at once`,
  );
  await ask(server, 'SIGQUIT');
  if (await becomesGone(server, immediateMs)) return;
  throw new RendermillError('internal', {
    message: `The embedded Postgres (process ${server.pid}) does not stop.`,
  });
};

const ask = async (server: RunningServer, signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
  // Windows has no signals: there, kill would be a crash.
  if (process.platform === 'win32') return askByProgram(server, signal === 'SIGINT' ? 'fast' : 'immediate');
  try {
    process.kill(server.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
};

const askByProgram = async (server: RunningServer, mode: 'fast' | 'immediate'): Promise<void> => {
  await promisify(execFile)(server.binaries.pgCtl, ['stop', '-W', '-m', mode, '-D', server.dataDirectory]);
};

const becomesGone = async (server: RunningServer, withinMs: number): Promise<boolean> => {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (await isGone(server)) return true;
    await delay(pauseMs);
  }
  return isGone(server);
};

const isGone = async ({ pid, dataDirectory }: RunningServer): Promise<boolean> => {
  const state = await serverProcess(pid, dataDirectory);
  return state === 'gone' || state === 'zombie' || state === 'other';
};
