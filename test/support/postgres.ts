import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { startEmbeddedPostgres } from '../../src/platform/db/embedded/embedded-postgres.ts';
import { createLogger, type Logger } from '../../src/platform/log/log.ts';

/** Followed by the pid of the process that the server belongs to. */
const folderPrefix = 'rendermill-test-postgres-';

/** Every migration has run in it; tests clone it. */
export const templateDatabase = 'rendermill_template';

export interface TestPostgres {
  /** Of the superuser, in the database `postgres`. */
  readonly url: string;
  /** Ends the server and keeps its data; `start` brings it back on the same port. */
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Ends the server and removes its data. */
  remove(): Promise<void>;
}

/** A private Postgres server; what it holds may be lost when the machine dies, which makes it fast. */
export const startTestPostgres = async (): Promise<TestPostgres> => {
  const log = createLogger({ level: 'warn' });
  await removeAbandoned(log);
  const directory = await mkdtemp(join(tmpdir(), `${folderPrefix}${process.pid}-`));
  let server = await startEmbeddedPostgres({ directory, log });
  const { url } = server;
  for (const setting of ['fsync', 'synchronous_commit', 'full_page_writes']) {
    await executeSql(url, `ALTER SYSTEM SET ${setting} = off`);
  }
  await executeSql(url, 'SELECT pg_reload_conf()');
  return {
    url,
    stop: () => server.stop(),
    start: async () => {
      server = await startEmbeddedPostgres({ directory, log });
      if (server.url !== url) throw new Error(`Postgres came back on another port: ${server.url}`);
    },
    remove: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
};

/** The server outlives a test run that was killed; the next run ends it. */
const removeAbandoned = async (log: Logger): Promise<void> => {
  for (const name of await readdir(tmpdir())) {
    const owner = name.startsWith(folderPrefix)
      ? Number(name.slice(folderPrefix.length).split('-')[0])
      : Number.NaN;
    if (!Number.isInteger(owner) || isAlive(owner)) continue;
    const directory = join(tmpdir(), name);
    try {
      await (await startEmbeddedPostgres({ directory, log })).stop();
      await rm(directory, { recursive: true, force: true });
    } catch (error) {
      log.warn(
        { err: error, directory },
        'a Postgres that a killed test run left behind could not be removed',
      );
    }
  }
};

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
};

export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/** A fresh database on the run's server: a clone of the template, or an empty one (`template0`). */
export const createTestDatabase = async (template: string = templateDatabase): Promise<TestDatabase> => {
  const adminUrl = inject('postgresUrl');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await executeSql(adminUrl, `CREATE DATABASE ${name} TEMPLATE ${template}`);
  return {
    url: databaseUrl(adminUrl, name),
    drop: () => executeSql(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`),
  };
};

export const databaseUrl = (adminUrl: string, name: string): string => {
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
};

export const executeSql = async (url: string, text: string): Promise<void> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(text);
  } finally {
    await client.end();
  }
};
