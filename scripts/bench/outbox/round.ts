import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { emitAll } from '../../../src/domain/events/emit.ts';
import { type Database, openDatabase } from '../../../src/platform/db/client.ts';
import { migrateDatabase } from '../../../src/platform/db/migrate.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { jobEvent } from './events.ts';
import type { Payload, SinkName } from './payload.ts';
import { startConsumer } from './processes.ts';

export interface Contender {
  readonly who: 'rendermill' | 'graphile' | 'pgboss' | 'pgboss-batches';
  readonly sink: SinkName;
}

const writers = 4;
const perTransaction = 10;
const log = createLogger({ level: 'warn' });

/** What a contender needs: to write events in a business transaction, and to say when the last is acknowledged. */
interface Side {
  write(payloads: readonly Payload[]): Promise<void>;
  acknowledged(): Promise<number>;
  close(): Promise<void>;
}

/** Stands for the state change that the events tell of. */
const businessWrite = `INSERT INTO bench_business (note) VALUES ('something changed')`;
const businessTable =
  'CREATE TABLE IF NOT EXISTS bench_business (id bigserial PRIMARY KEY, note text NOT NULL)';

const openRendermill = async (url: string): Promise<Side> => {
  const { db, close } = openDatabase({ url, log, maxConnections: writers + 1 });
  await runSql(db, businessTable);
  return {
    write: (payloads) =>
      db.transaction().execute(async (tx) => {
        await runSql(tx, businessWrite);
        await emitAll(tx, payloads.map(jobEvent));
      }),
    acknowledged: async () => {
      const { n } = await db
        .selectFrom('delivery_shard')
        .select((row) => row.fn.sum<number>('delivered').as('n'))
        .executeTakeFirstOrThrow();
      return Number(n);
    },
    close,
  };
};

const runSql = async (db: Pick<Database, 'executeQuery'>, text: string): Promise<void> => {
  await db.executeQuery(CompiledQuery.raw(text));
};

/** One statement for the ten jobs, as fast as each offers it. */
const openPool = async (
  url: string,
  add: (client: pg.PoolClient, payloads: readonly Payload[]) => Promise<unknown>,
  countLeft: string,
): Promise<Side> => {
  const pool = new pg.Pool({ connectionString: url, max: writers + 1 });
  await pool.query(businessTable);
  let written = 0;
  return {
    write: async (payloads) => {
      const client = await pool.connect();
      try {
        await client.query('BEGIN');
        await client.query(businessWrite);
        await add(client, payloads);
        await client.query('COMMIT');
        written += payloads.length;
      } finally {
        client.release();
      }
    },
    acknowledged: async () => written - Number((await pool.query(countLeft)).rows[0].n),
    close: () => pool.end(),
  };
};

const openGraphile = (url: string): Promise<Side> =>
  openPool(
    url,
    (client, payloads) =>
      client.query(
        `SELECT graphile_worker.add_jobs(array(SELECT json_populate_record(NULL::graphile_worker.job_spec, job)
          FROM json_array_elements($1::json) AS job), false)`,
        [JSON.stringify(payloads.map((payload) => ({ identifier: 'deliver', payload })))],
      ),
    'SELECT count(*) AS n FROM graphile_worker._private_jobs',
  );

const openPgBoss = async (url: string): Promise<Side> => {
  const boss = new PgBoss({ connectionString: url, supervise: false, max: 2 });
  await boss.start();
  const side = await openPool(
    url,
    (client, payloads) =>
      boss.insert(
        payloads.map((data) => ({ name: 'deliver', data })),
        { db: { executeSql: (text: string, values: unknown[]) => client.query(text, values) } } as never,
      ),
    "SELECT count(*) AS n FROM pgboss.job WHERE name = 'deliver' AND state < 'completed'",
  );
  return {
    ...side,
    close: async () => {
      await side.close();
      await boss.stop({ graceful: false });
    },
  };
};

const sides: Readonly<Record<Contender['who'], (url: string) => Promise<Side>>> = {
  rendermill: openRendermill,
  graphile: openGraphile,
  pgboss: openPgBoss,
  'pgboss-batches': openPgBoss,
};

const payloadsOf = (count: number): Payload[] =>
  Array.from({ length: count }, (_, n) => ({
    id: randomUUID(),
    event: 'processing_completed',
    timestamp: new Date().toISOString(),
    userId: `user-${n % 500}`,
    properties: jobProperties(n),
  }));

export const jobProperties = (n: number): Record<string, unknown> => ({
  job_id: `job-${n}`,
  compositionId: 'product-card',
  format: 'png',
  resolution: '1080x1080',
  queue_wait_ms: 120 + (n % 90),
  processing_time_ms: 400 + (n % 300),
});

/** Events per second from the first write until the last is acknowledged; on a database of its own. */
export const runRound = async (
  adminUrl: string,
  receiverUrl: string,
  { who, sink }: Contender,
  events: number,
): Promise<number> => {
  const url = await freshDatabase(adminUrl, `bench_${who.replace('-', '_')}_${sink}`);
  if (who === 'rendermill') await migrateDatabase(url, log);
  const consumer = await startConsumer(who, sink, url, receiverUrl);
  const side = await (sides[who] as (url: string) => Promise<Side>)(url);
  const waiting = payloadsOf(events);
  const began = performance.now();
  const write = async () => {
    while (waiting.length > 0) await side.write(waiting.splice(0, perTransaction));
  };
  await Promise.all(Array.from({ length: writers }, write));
  while ((await side.acknowledged()) < events) await delay(20);
  const seconds = (performance.now() - began) / 1000;
  await side.close();
  await consumer.stop();
  return events / seconds;
};

export const freshDatabase = async (adminUrl: string, name: string): Promise<string> => {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(adminUrl);
  url.pathname = `/${name}`;
  return url.href;
};
