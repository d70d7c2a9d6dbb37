/** The embedded database under the process that owns it: one that dies (a kill, the OOM killer) is started again, at its address. */
import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { startWakeableLoop } from '../platform/clock/wakeable-loop.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../platform/db/embedded/embedded-postgres.ts';
import { serverProcess } from '../platform/db/embedded/process-state.ts';
import { endPostmaster } from './end-postmaster.ts';
import type { Process } from './process.ts';

const lookEveryMs = 1_000;

export const keepDatabase = async (
  { log, lifecycle }: Process,
  directory: string,
  started: EmbeddedPostgres,
): Promise<void> => {
  let current = started;
  const dataDirectory = join(await realpath(directory), 'data');
  const look = async () => {
    const state = await serverProcess(current.pid, dataDirectory);
    if (state === 'ours' || state === 'unknown') return;
    log.error({ postgresPid: current.pid }, 'the embedded Postgres has died; starting it again');
    current = await startEmbeddedPostgres({ directory, log });
    if (current.url === started.url) return;
    // Every connection of ours goes to the old address: only a new start of this process can follow.
    log.fatal(
      { url: new URL(current.url).host },
      'the embedded Postgres came back at another address; stopping',
    );
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  };
  lifecycle.onStop(
    'embedded database',
    () => current.stop(),
    () => endPostmaster(directory, current.pid),
  );
  const loop = startWakeableLoop({
    everyMs: lookEveryMs,
    round: look,
    onError: (error) => log.error({ err: error }, 'the embedded Postgres could not be started again'),
  });
  lifecycle.onStop('watch over the embedded database', () => loop.stop());
};
