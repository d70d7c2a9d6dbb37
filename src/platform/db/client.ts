import { createHash } from 'node:crypto';
import { Kysely, PostgresDialect, type PostgresPoolClient, sql, type Transaction } from 'kysely';
import pg from 'pg';
import type { Logger } from '../log/log.ts';
import type { Schema } from './schema.ts';

export type Database = Kysely<Schema>;
export type Tx = Transaction<Schema>;
/** For functions that read: inside or outside of a transaction. */
export type Reader = Database | Tx;

const int8 = 20;
const numeric = 1700;
const date = 1082;

/** Sums and sizes fit a double; a day stays the text that it is, since a Date would move it into the process's time zone. */
const parsers = new Map<number, (text: string) => unknown>([
  [int8, Number],
  [numeric, Number],
  [date, (text) => text],
]);

const types: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') =>
    parsers.get(oid) ?? pg.types.getTypeParser(oid, format ?? 'text'),
} as pg.CustomTypesConfig;

/**
 * Begins the text of a statement that is prepared once per connection: for those that run all the time, where planning (of a table
 * with many partitions, above all) would cost more than running.
 */
export const prepared = sql.raw('/* prepared */ ');
const isPrepared = (text: string): boolean => text.trimStart().startsWith('/* prepared */');

/** Named for its text, so that two statements never share a name. */
const nameOf = (text: string): string => createHash('sha1').update(text).digest('base64url');

const names = new Map<string, string>();
const rememberedName = (text: string): string => {
  const name = names.get(text) ?? nameOf(text);
  names.set(text, name);
  return name;
};

const prepareMarked = (client: pg.PoolClient): PostgresPoolClient => ({
  query: ((text: string, values: unknown[]) =>
    typeof text === 'string' && isPrepared(text)
      ? client.query({ name: rememberedName(text), text, values })
      : client.query(text, values)) as unknown as PostgresPoolClient['query'],
  release: () => client.release(),
});

export interface DatabaseClient {
  readonly db: Database;
  close(): Promise<void>;
}

export const openDatabase = (options: {
  url: string;
  log: Logger;
  maxConnections?: number;
  /** Of one statement; 0: none. */
  statementTimeoutMs?: number;
}): DatabaseClient => {
  const pool = new pg.Pool({
    connectionString: options.url,
    types,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: options.statementTimeoutMs ?? 30_000,
    // A request that dies half-way must not keep its locks.
    idle_in_transaction_session_timeout: 30_000,
    application_name: 'rendermill',
  });
  // A connection that breaks while no statement runs, idle or between two of a transaction, emits: without a listener on itself
  // and, when idle, on the pool, that would end the process.
  let closing = false;
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      if (!closing) options.log.warn({ err: error }, 'a database connection broke');
    });
  });
  pool.on('error', () => undefined);
  const pooled = { connect: async () => prepareMarked(await pool.connect()), end: () => pool.end() };
  const db = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: pooled }) });
  return {
    db,
    close: () => {
      closing = true;
      return db.destroy();
    },
  };
};
