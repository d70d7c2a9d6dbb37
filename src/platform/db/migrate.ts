import { type Migration, Migrator, sql } from 'kysely';
import type { Logger } from '../log/log.ts';
import { type Database, openDatabase } from './client.ts';
import { foundation } from './migrations/0001-foundation.ts';
import { batches } from './migrations/0002-batches.ts';
import { statistics } from './migrations/0003-statistics.ts';
import { identity } from './migrations/0004-identity.ts';
import { projection } from './migrations/0005-projection.ts';
import { delivery } from './migrations/0006-delivery.ts';
import { signals } from './migrations/0007-signals.ts';
import { scale } from './migrations/0008-scale.ts';
import { lambdaSlots } from './migrations/0009-lambda-slots.ts';
import { renderModes } from './migrations/0010-render-modes.ts';
import { webhookHealth } from './migrations/0011-webhook-health.ts';
import { leftRenders } from './migrations/0012-left-renders.ts';
import { renderedExports } from './migrations/0013-rendered-exports.ts';

const plainSql = (text: string): Migration => ({
  up: async (db) => {
    await sql.raw(text).execute(db);
  },
});

/** A static map, so that a build cannot lose one. Names sort in the order in which they run; a landed one never changes. */
const migrations: Record<string, Migration> = {
  '0001-foundation': plainSql(foundation),
  '0002-batches': plainSql(batches),
  '0003-statistics': plainSql(statistics),
  '0004-identity': plainSql(identity),
  '0005-projection': plainSql(projection),
  '0006-delivery': plainSql(delivery),
  '0007-signals': plainSql(signals),
  '0008-scale': plainSql(scale),
  '0009-lambda-slots': plainSql(lambdaSlots),
  '0010-render-modes': plainSql(renderModes),
  '0011-webhook-health': plainSql(webhookHealth),
  '0012-left-renders': plainSql(leftRenders),
  '0013-rendered-exports': plainSql(renderedExports),
};

const partitionMonthsAhead = 4;

/** Partitions for this month and the following ones; cheap when they are there. */
export const ensureEventPartitions = (db: Database, now: Date): Promise<unknown> =>
  sql`SELECT ensure_event_partitions(${now}::timestamptz::date, ${partitionMonthsAhead})`.execute(db);

/**
 * Runs what is missing, under a lock, so that many processes may start at once; no further than `upTo`, where a test shows what the next
 * one makes of an older database. Returns the names that it ran.
 */
export const migrateDatabase = async (
  url: string,
  log: Logger,
  { upTo }: { readonly upTo?: string } = {},
): Promise<readonly string[]> => {
  const { db, close } = openDatabase({ url, log, maxConnections: 2, statementTimeoutMs: 0 });
  try {
    const migrator = createMigrator(db);
    const { error, results } = await (upTo === undefined
      ? migrator.migrateToLatest()
      : migrator.migrateTo(upTo));
    if (error !== undefined) throw error;
    await ensureEventPartitions(db, new Date());
    return (results ?? [])
      .filter((result) => result.status === 'Success')
      .map((result) => result.migrationName);
  } finally {
    await close();
  }
};

const createMigrator = (db: Database): Migrator =>
  new Migrator({ db, provider: { getMigrations: async () => migrations } });

/** Names of the migrations that this build has and the database has not. */
export const pendingMigrations = async (db: Database): Promise<readonly string[]> =>
  (await createMigrator(db).getMigrations())
    .filter((one) => one.executedAt === undefined)
    .map((one) => one.name);
