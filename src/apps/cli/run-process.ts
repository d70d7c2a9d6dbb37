import { RendermillError } from '../../core/errors.ts';
import { type Config, loadConfig } from '../../platform/config/config.ts';
import type { Database } from '../../platform/db/client.ts';
import { createLifecycle } from '../../platform/lifecycle/lifecycle.ts';
import { createLogger, type LogLevel } from '../../platform/log/log.ts';
import type { Process } from '../process.ts';
import { announceStop } from './announce-stop.ts';
import type { Terminal } from './terminal.ts';

/** After running renders had their time: for what remains to be closed. */
const closingSeconds = 15;

const openProcess = (config: Config, level: LogLevel, terminal: Terminal): Process => {
  const log = createLogger({ level });
  const lifecycle = createLifecycle({ log, deadlineMs: (config.SHUTDOWN_SECONDS + closingSeconds) * 1000 });
  terminal.handSignalsTo(lifecycle);
  return { config, log, lifecycle };
};

/** The log is for failures, unless LOG_LEVEL asks for more. */
const quietLevel = (config: Config, terminal: Terminal): LogLevel =>
  terminal.environment.LOG_LEVEL ? config.LOG_LEVEL : 'warn';

export interface ServiceOptions {
  /** Someone looks at it: the log is quiet, and the stop says how long it may take and when it is done. */
  readonly forPerson?: boolean;
}

/** Runs until a signal comes: the lifecycle ends the process. Rejects, with everything closed, where the start fails. */
export const runService = async (
  terminal: Terminal,
  start: (process: Process) => Promise<void>,
  { forPerson = false }: ServiceOptions = {},
): Promise<void> => {
  const config = loadConfig(terminal.environment);
  const level = forPerson ? quietLevel(config, terminal) : config.LOG_LEVEL;
  const process = openProcess(config, level, terminal);
  const stop = forPerson ? announceStop(process, terminal) : undefined;
  try {
    await start(process);
  } catch (error) {
    // A signal during the start is no failure: what was being opened is closed by the stop that runs already.
    const asked = process.lifecycle.stopping.aborted;
    if (!asked) stop?.keepQuiet();
    await process.lifecycle.stop('the start failed');
    if (!asked) throw error;
  }
  await new Promise(() => undefined);
};

/** Runs to its end and closes what it opened. */
export const runTask = async <T>(terminal: Terminal, task: (process: Process) => Promise<T>): Promise<T> => {
  const config = loadConfig(terminal.environment);
  const process = openProcess(config, quietLevel(config, terminal), terminal);
  try {
    return await task(process);
  } finally {
    await process.lifecycle.stop('done');
  }
};

/**
 * The records, with every migration run. A database that was named is its owner's to migrate, and only says what is missing; the
 * embedded one has no other owner.
 */
export const openMigratedRecords = async (
  process: Process,
): Promise<{ db: Database; databaseUrl: string }> => {
  // Loaded here, so that --help and a render through a service do not wait for drivers and queues.
  const { openRecords } = await import('../resources.ts');
  const { migrateDatabase, pendingMigrations } = await import('../../platform/db/migrate.ts');
  const records = await openRecords(process, { owner: false });
  const pending = await pendingMigrations(records.db);
  if (pending.length === 0) return records;
  if (process.config.DATABASE_URL !== undefined) {
    throw new RendermillError('invalid_configuration', {
      message: `The database lacks ${pending.join(', ')}. Run rendermill migrate.`,
    });
  }
  await migrateDatabase(records.databaseUrl, process.log);
  return records;
};
