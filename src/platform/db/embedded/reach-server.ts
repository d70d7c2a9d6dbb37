import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { RendermillError } from '../../../core/errors.ts';
import type { Logger } from '../../log/log.ts';
import type { PostgresBinaries } from './binaries.ts';
import { freePort, lastPort } from './free-port.ts';
import { type LaunchedServer, lastLogLines, launchServer, logPath } from './launch-server.ts';
import type { Launcher } from './launcher.ts';
import { askServer, lookAtServer, type ServerView, serverUrl } from './look-at-server.ts';
import { passwordPath } from './password.ts';
import { removeStalePostmasterFile } from './postmaster-file.ts';

export interface ServerSite {
  readonly directory: string;
  readonly password: string;
  readonly binaries: PostgresBinaries;
  readonly launcher: Launcher;
  readonly log: Logger;
}

export interface ReachedServer {
  readonly pid: number;
  readonly url: string;
  readonly adopted: boolean;
}

/** After a crash of the machine Postgres replays up to max_wal_size (1 GB) of its log first. */
const deadlineMs = 120_000;
const pauseMs = 15;
const attempts = 8;

/**
 * Looks and acts until the folder's server answers: adopts the one that runs, waits for one that starts or stops, starts one
 * where there is none. A start that fails is no error yet: another process may have been faster, or the port be taken.
 */
export const reachServer = async (site: ServerSite): Promise<ReachedServer> => {
  const data = join(site.directory, 'data');
  const deadline = Date.now() + deadlineMs;
  let launched: LaunchedServer | undefined;
  let failures = 0;
  while (Date.now() < deadline) {
    const view = await lookAtServer(data);
    const reached = view.type === 'ready' ? await connect(site, data, view) : undefined;
    if (reached) return { ...reached, adopted: reached.pid !== launched?.pid };
    if (view.type === 'stale') await removeStalePostmasterFile(data, view.file);
    if (launched?.exited) {
      launched = undefined;
      failures += 1;
      if (failures === attempts) break;
      // A port may be free again at once; backends of a killed server may take seconds to notice.
      await delay(pauseMs * 2 ** failures);
    } else if (view.type === 'absent' && !launched) {
      launched = await launchServer({ ...site, port: await choosePort(data, failures) });
    } else await delay(pauseMs);
  }
  throw await notReached(site);
};

const choosePort = async (data: string, failures: number): Promise<number> =>
  (failures === 0 ? await lastPort(data) : undefined) ?? (await freePort());

/** Undefined: not yet. */
const connect = async (
  site: ServerSite,
  data: string,
  view: ServerView & { type: 'ready' },
): Promise<{ pid: number; url: string } | undefined> => {
  const url = serverUrl(view.port, site.password);
  const answer = await askServer(url, data);
  if (answer === 'same') return { pid: view.pid, url };
  if (!view.certain && answer !== 'not_yet') await removeStalePostmasterFile(data, view.file);
  else if (answer === 'wrong_password') throw wrongPassword(site.directory);
  return undefined;
};

const wrongPassword = (directory: string): RendermillError =>
  new RendermillError('invalid_configuration', {
    message: `The embedded Postgres in ${join(directory, 'data')} does not take the password in ${passwordPath(directory)}. Put back the file that was made together with the data, or choose another data directory.`,
  });

const notReached = async ({ directory }: ServerSite): Promise<RendermillError> =>
  new RendermillError('database_unavailable', {
    message: `The embedded Postgres did not start. The last lines of ${logPath(directory)}:\n${await lastLogLines(directory)}`,
  });
