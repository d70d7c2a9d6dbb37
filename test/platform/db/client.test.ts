import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, describe, expect, test } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import { isDatabaseUnavailable, toDatabaseError } from '../../../src/platform/db/errors.ts';
import { openListener } from '../../../src/platform/db/listener.ts';
import { notify } from '../../../src/platform/db/notify.ts';
import { openTestDatabase, silentLog } from '../../support/factories.ts';
import { freePort } from '../../support/redis.ts';

const { db, url, close } = await openTestDatabase();
afterAll(close);

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'it worked',
    (error: unknown) => error,
  );

const endConnections = (applicationName: string) =>
  sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = ${applicationName} AND pid <> pg_backend_pid()`.execute(
    db,
  );

describe('values', () => {
  test('come as a program wants them: sizes and sums as numbers, a day as text', async () => {
    const { rows } =
      await sql`SELECT 5000000000::bigint AS size, sum(n)::numeric AS sum, '2026-03-29'::date AS day,
      '2026-03-10T12:00:00.123Z'::timestamptz AS at, '{"a": 1}'::jsonb AS json FROM generate_series(1, 3) AS n`.execute(
        db,
      );
    const at = new Date('2026-03-10T12:00:00.123Z');
    expect(rows).toEqual([{ size: 5_000_000_000, sum: 6, day: '2026-03-29', at, json: { a: 1 } }]);
  });
});

describe('a database that is away', () => {
  test('is recognised when nobody listens', async () => {
    const gone = openDatabase({ url: `postgres://a:b@127.0.0.1:${await freePort()}/x`, log: silentLog });
    const error = await failureOf(sql`SELECT 1`.execute(gone.db));
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect(toDatabaseError(error)).toMatchObject({ code: 'database_unavailable', cause: error });
    await gone.close();
  });

  test('is recognised when it ends our session in the midst of a transaction', async () => {
    const mine = openDatabase({ url, log: silentLog });
    const error = await failureOf(
      mine.db.transaction().execute(async (tx) => {
        const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(tx);
        await sql`SELECT pg_terminate_backend(${rows[0]?.pid}::int)`.execute(db);
        await sql`SELECT 1`.execute(tx);
      }),
    );
    expect(isDatabaseUnavailable(error)).toBe(true);
    expect((await sql`SELECT 1 AS one`.execute(mine.db)).rows).toEqual([{ one: 1 }]);
    await mine.close();
  });

  test('is told apart from a mistake of ours and from what is no error', async () => {
    const mistake = await failureOf(sql`SELECT nothing FROM nowhere`.execute(db));
    for (const other of [mistake, new Error('x'), new RendermillError('internal'), 'text', null, undefined]) {
      expect(isDatabaseUnavailable(other)).toBe(false);
      expect(toDatabaseError(other)).toBe(other);
    }
  });

  test.each(['NUL \0', 'half \ud83d'])(
    'is not meant by text that Postgres cannot keep (%j): that is a mistake of the request',
    async (text) => {
      const error = await failureOf(sql`SELECT ${JSON.stringify({ text })}::jsonb`.execute(db));
      expect(toDatabaseError(error)).toMatchObject({ code: 'invalid_request' });
    },
  );

  test('does not mean a JSON or an id of ours that is broken: that stays an error of ours', async () => {
    const error = await failureOf(sql`SELECT ${'{'}::jsonb`.execute(db));
    expect(toDatabaseError(error)).toBe(error);
  });
});

describe('the listener', () => {
  test('tells what was committed, on its channel only, until it is turned off', async () => {
    const listener = await openListener(url, silentLog);
    const heard: string[] = [];
    const off = listener.on('rendermill_export', (payload) => heard.push(payload));
    await notify(db, 'rendermill_cancel', 'other');
    await notify(db, 'rendermill_export', 'one');
    await expect.poll(() => heard).toEqual(['one']);
    const second: string[] = [];
    listener.on('rendermill_export', (payload) => second.push(payload));
    off();
    await notify(db, 'rendermill_export', 'two');
    await expect.poll(() => second).toEqual(['two']);
    expect(heard).toEqual(['one']);
    await listener.close();
  });

  test('says nothing of a transaction that rolled back', async () => {
    const listener = await openListener(url, silentLog);
    const heard: string[] = [];
    listener.on('rendermill_export', (payload) => heard.push(payload));
    const broken = db.transaction().execute(async (tx) => {
      await notify(tx, 'rendermill_export', 'never');
      throw new Error('no');
    });
    await expect(broken).rejects.toThrow('no');
    await notify(db, 'rendermill_export', 'after');
    await expect.poll(() => heard).toEqual(['after']);
    await listener.close();
  });

  test('comes back when its connection breaks, and says that something may have been missed', async () => {
    const listener = await openListener(url, silentLog);
    const heard: string[] = [];
    listener.on('rendermill_feed', (payload) => heard.push(payload));
    await endConnections('rendermill-listener');
    await expect.poll(() => heard, { timeout: 10_000 }).toEqual(['']);
    await notify(db, 'rendermill_feed', 'again');
    await expect.poll(() => heard).toEqual(['', 'again']);
    await listener.close();
  });

  test('closes its connection, and does not come back after that', async () => {
    const listener = await openListener(url, silentLog);
    await listener.close();
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const open = async () =>
      (
        await client.query(
          `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'rendermill-listener'`,
        )
      ).rowCount;
    await expect.poll(open).toBe(0);
    await client.end();
  });
});
