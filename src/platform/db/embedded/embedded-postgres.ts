/**
 * A private Postgres in a folder, for a machine where nobody has set one up. Any number of processes may start it at once: one
 * server runs, the others adopt it; it survives the death of whoever started it, and the next start adopts it again.
 * One machine (or container) at a time may use the folder.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { RendermillError } from '../../../core/errors.ts';
import type { Logger } from '../../log/log.ts';
import { serverAccount } from './account.ts';
import { findPostgresBinaries, type PostgresBinaries } from './binaries.ts';
import { ensureCluster } from './cluster.ts';
import { findLauncher } from './launcher.ts';
import { ensurePassword } from './password.ts';
import { reachServer, type ServerSite } from './reach-server.ts';
import { stopServer } from './stop-server.ts';

export interface EmbeddedPostgres {
  readonly url: string;
  /** It ran already. */
  readonly adopted: boolean;
  readonly pid: number;
  /** Stops the server, also under other processes that adopted it. May be called twice, and again after a failure. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Absolute; the data, the password and the log live in it. */
  readonly directory: string;
  readonly log: Logger;
  /** Default: those of the npm package. */
  readonly binaries?: PostgresBinaries;
}

/** Rejects with `invalid_configuration` (what is in the way, and the ways out) or `database_unavailable`. */
export const startEmbeddedPostgres = async (options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> => {
  if (!isAbsolute(options.directory)) throw new TypeError(`Not an absolute path: ${options.directory}`);
  const startedAt = performance.now();
  const site = await prepare(options).catch(explainDenied);
  const server = await reachServer(site);
  const durationMs = Math.round(performance.now() - startedAt);
  options.log.info(
    { postgresPid: server.pid, adopted: server.adopted, durationMs },
    'the embedded Postgres is ready',
  );
  const dataDirectory = join(site.directory, 'data');
  return { ...server, stop: onceAtATime(() => stopServer({ ...site, dataDirectory, pid: server.pid })) };
};

const prepare = async (options: EmbeddedPostgresOptions): Promise<ServerSite> => {
  await mkdir(options.directory, { recursive: true });
  // Processes are recognised by the real path of their folder.
  const directory = await realpath(options.directory);
  const account = await serverAccount(join(directory, 'data'));
  const binaries = options.binaries ?? (await findPostgresBinaries());
  const launcher = await findLauncher({ account, directory, binaries });
  const password = await ensurePassword(directory, account);
  await ensureCluster({ directory, binaries, launcher, account, log: options.log });
  return { directory, password, binaries, launcher, log: options.log };
};

const explainDenied = (error: NodeJS.ErrnoException): never => {
  if (error.code !== 'EACCES' && error.code !== 'EPERM') throw error;
  throw new RendermillError('invalid_configuration', {
    message: `This user may not use the folder of the embedded Postgres: ${error.message}. Start as the user who made it (or as root), choose another data directory, or set DATABASE_URL to a Postgres of your own.`,
    cause: error,
  });
};

const onceAtATime = (action: () => Promise<void>): (() => Promise<void>) => {
  let running: Promise<void> | undefined;
  return () => {
    running ??= action().catch((error) => {
      running = undefined;
      throw error;
    });
    return running;
  };
};
