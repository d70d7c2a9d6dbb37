/** The database, its migrations, and what it tells of workers and events. */
import { sql } from 'kysely';
import { liveCapacity } from '../../../domain/exports/workers.ts';
import type { Config } from '../../../platform/config/config.ts';
import { type Database, openDatabase } from '../../../platform/db/client.ts';
import { pendingMigrations } from '../../../platform/db/migrate.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { type Check, missing, ok, reasonOf, unknown, warning } from './check.ts';
import { checkEvents } from './check-events.ts';
import { checkModes } from './check-modes.ts';
import { checkSecrets } from './check-secrets.ts';
import { findDatabase } from './find-database.ts';

const oldestVersion = 15;

const checkVersion = async (db: Database, where: string): Promise<Check> => {
  const { rows } = await sql<{ version: string; number: number }>`
    SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number`.execute(
    db,
  );
  const { version = '?', number = 0 } = rows[0] ?? {};
  return number >= oldestVersion * 10_000
    ? ok('database', `Postgres ${version}, ${where}`)
    : missing(
        'database',
        `Postgres ${version}, ${where}`,
        `Upgrade it: ${oldestVersion} or later is needed.`,
      );
};

const checkMigrations = async (db: Database): Promise<Check> => {
  const pending = await pendingMigrations(db);
  return pending.length === 0
    ? ok('migrations', 'all applied')
    : missing('migrations', `not applied: ${pending.join(', ')}`, 'Run rendermill migrate.');
};

const checkWorkers = async (db: Database): Promise<Check> => {
  const capacity = await liveCapacity(db);
  return capacity > 0
    ? ok('workers', `${capacity} ${capacity === 1 ? 'render' : 'renders'} at once`)
    : warning('workers', 'none alive', 'Start one: rendermill worker, or rendermill up.');
};

/** Of a migrated database. */
const askedOfRecords = ['workers', 'render modes', 'events', 'secrets'];

const unknownAll = (names: readonly string[], reason: string): Check[] =>
  names.map((name) => unknown(name, reason));

/** Never throws: what cannot be asked is unknown. */
export const checkRecords = async (config: Config): Promise<readonly Check[]> => {
  const found = await findDatabase(config);
  if ('check' in found)
    return [found.check, ...unknownAll(['migrations', ...askedOfRecords], 'no database runs')];
  const { db, close } = openDatabase({
    url: found.url,
    log: createLogger({ level: 'silent' }),
    maxConnections: 1,
  });
  const where = config.DATABASE_URL === undefined ? 'embedded' : 'DATABASE_URL';
  try {
    const database = await checkVersion(db, where);
    const migrations = await checkMigrations(db);
    if (migrations.status !== 'ok')
      return [database, migrations, ...unknownAll(askedOfRecords, 'the database is not migrated')];
    const now = new Date();
    return [
      database,
      migrations,
      await checkWorkers(db),
      await checkModes(db, config, now),
      await checkEvents(db, now),
      await checkSecrets(db, config, now),
    ];
  } catch (error) {
    const database = missing('database', reasonOf(error), 'Start it, or correct DATABASE_URL.');
    return [database, ...unknownAll(['migrations', ...askedOfRecords], 'no database answers')];
  } finally {
    await close();
  }
};
