import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { warnOfLogHolder } from '../../../src/apps/dispatcher/warn-of-log-holder.ts';
import { findLogHolder } from '../../../src/domain/events/log-holder.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import { addSink, projectAll, writeEvents } from '../../features/delivery/delivery-scene.ts';
import { openTestDatabase, silentLog } from '../../support/factories.ts';
import {
  createTestDatabase,
  executeSql,
  startTestPostgres,
  type TestDatabase,
} from '../../support/postgres.ts';

const database = await openTestDatabase();
const { db } = database;
const clock = { now: () => new Date() };
/** Of the same server, and none of ours. */
let other: TestDatabase;
const sessions: pg.Client[] = [];
beforeAll(async () => {
  other = await createTestDatabase('template0');
});
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.end();
});
afterAll(async () => {
  await other.drop();
  await database.close();
});

const open = async (...statements: string[]): Promise<number> => {
  const session = new pg.Client({ connectionString: other.url, application_name: 'nightly report' });
  sessions.push(session);
  await session.connect();
  for (const statement of statements) await session.query(statement);
  const { rows } = await session.query('SELECT pg_backend_pid() AS pid');
  return rows[0].pid;
};
const writing = ['BEGIN', 'CREATE TEMPORARY TABLE held (n integer)'];

test('is the transaction of another database that has written, and is idle', async () => {
  const pid = await open(...writing);
  // Other tests of this server may have older ones, which end.
  await expect
    .poll(() => findLogHolder(db))
    .toEqual({
      seconds: expect.any(Number),
      database: new URL(other.url).pathname.slice(1),
      user: new URL(other.url).username,
      pid,
      gid: null,
      application: 'nightly report',
      state: 'idle in transaction',
    });
  await sessions[0]?.query('COMMIT');
  await expect.poll(async () => (await findLogHolder(db))?.pid).not.toBe(pid);
});

test('is none that only reads, as pg_dump does: events go on beside it', async () => {
  const pid = await open(
    'CREATE TABLE IF NOT EXISTS kept ()',
    'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
    'LOCK TABLE kept IN ACCESS SHARE MODE',
    'SELECT count(*) FROM kept',
  );
  await addSink(db, { id: 's' }, clock.now());
  await writeEvents(db, 'o', [{ name: 'recorded' }], clock.now());
  await projectAll(db, clock);
  expect((await findLogHolder(db))?.pid).not.toBe(pid);
});

test('is named to a role that may not see its age', async () => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await executeSql(database.url, `CREATE ROLE ${name} LOGIN PASSWORD 'secret'`);
  const url = new URL(database.url);
  url.username = name;
  url.password = 'secret';
  const plain = openDatabase({ url: url.href, log: silentLog, maxConnections: 1 });
  try {
    const pid = await open(...writing);
    await expect
      .poll(() => findLogHolder(plain.db))
      .toMatchObject({ pid, seconds: null, state: null, application: 'nightly report' });
  } finally {
    await plain.close();
    await executeSql(database.url, `DROP ROLE ${name}`);
  }
});

test('is told of in the log of the dispatcher, with what ends it, where it is open for long', async () => {
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(line) });
  const pid = await open(...writing);
  await expect.poll(async () => (await findLogHolder(db))?.pid).toBe(pid);
  await warnOfLogHolder(db, log);
  expect(lines).toEqual([]);
  await warnOfLogHolder(db, log, 0);
  expect(lines.join()).toMatch(
    new RegExp(`wait for its end: pid ${pid} \\(open for \\d+ s, .*nightly report`),
  );
  expect(lines.join()).toContain(`SELECT pg_terminate_backend(${pid})`);
});

test('is one that was prepared and forgotten, where the server takes such', async () => {
  const server = await startTestPostgres();
  try {
    await executeSql(server.url, 'ALTER SYSTEM SET max_prepared_transactions = 1');
    await server.stop();
    await server.start();
    await executeSql(server.url, "BEGIN; CREATE TABLE held (n integer); PREPARE TRANSACTION 'forgotten'");
    const own = openDatabase({ url: server.url, log: silentLog, maxConnections: 1 });
    const holder = await findLogHolder(own.db);
    await executeSql(server.url, "ROLLBACK PREPARED 'forgotten'");
    const after = await findLogHolder(own.db);
    await own.close();
    expect(holder).toMatchObject({
      gid: 'forgotten',
      pid: null,
      state: 'prepared',
      seconds: expect.any(Number),
    });
    expect(after).toBeNull();
  } finally {
    await server.remove();
  }
});
