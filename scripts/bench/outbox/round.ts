import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { CompiledQuery } from 'kysely';
import pg from 'pg';
import PgBoss from 'pg-boss';
import { emitAll } from '../../../src/domain/events/emit.ts';
import { type Database, openDatabase } from '../../../src/platform/db/client.ts';
import { migrateDatabase } from '../../../src/platform/db/migrate.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { readTree } from '../support/process-tree.ts';
import { jobEvent } from './events.ts';
import type { Payload, SinkName } from './payload.ts';
import { startConsumer } from './processes.ts';

/**
 * The queues do what the dispatcher does: the event is kept in a log, with the indexes that the log has to have, and a job delivers
 * it; with graphile-worker in the order of its entity (a named queue), which pg-boss has no means for. `-bare` is the job alone:
 * no log, no order. `pgboss-batches` is bare, too, and makes one request of 500 jobs.
 */
export interface Contender {
  readonly who: 'rendermill' | 'graphile' | 'pgboss' | 'graphile-bare' | 'pgboss-batches';
  readonly sink: SinkName;
}

const writers = 4;
const perTransaction = 10;
/** A process that has just begun is slow; services run for weeks. */
const warmUp = 3_000;
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
  keepsLog: boolean,
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
        if (keepsLog) await client.query(insertIntoLog, [JSON.stringify(payloads)]);
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

const logTable = `CREATE TABLE bench_log (id uuid PRIMARY KEY, event_name text NOT NULL, occurred_at timestamptz NOT NULL,
    organization_id text NOT NULL, user_id text, entity_id text, properties jsonb NOT NULL);
  CREATE INDEX ON bench_log (organization_id, occurred_at);
  CREATE INDEX ON bench_log (organization_id, user_id, occurred_at);
  CREATE INDEX ON bench_log (organization_id, event_name, occurred_at)`;
const insertIntoLog = `INSERT INTO bench_log SELECT id, event, "timestamp", 'bench', "userId", properties ->> 'job_id', properties
  FROM json_to_recordset($1::json) AS e (id uuid, event text, "timestamp" timestamptz, "userId" text, properties jsonb)`;

/** Keeps the event, too, as a product has to that tells later what happened. */
const withLog = async (open: (url: string) => Promise<Side>, url: string): Promise<Side> => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(logTable);
  await client.end();
  return open(url);
};

const openGraphile =
  (ordered: boolean) =>
  (url: string): Promise<Side> =>
    openPool(
      url,
      ordered,
      (client, payloads) =>
        client.query(
          `SELECT graphile_worker.add_jobs(array(SELECT json_populate_record(NULL::graphile_worker.job_spec, job)
          FROM json_array_elements($1::json) AS job), false)`,
          [
            JSON.stringify(
              payloads.map((payload) => ({
                identifier: 'deliver',
                payload,
                ...(ordered ? { queue_name: `export:${payload.properties.job_id}` } : {}),
              })),
            ),
          ],
        ),
      'SELECT count(*) AS n FROM graphile_worker._private_jobs',
    );

const openPgBoss =
  (keepsLog: boolean) =>
  async (url: string): Promise<Side> => {
    const boss = new PgBoss({ connectionString: url, supervise: false, max: 2 });
    await boss.start();
    const side = await openPool(
      url,
      keepsLog,
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
  graphile: (url) => withLog(openGraphile(true), url),
  'graphile-bare': openGraphile(false),
  pgboss: (url) => withLog(openPgBoss(true), url),
  'pgboss-batches': openPgBoss(false),
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

export interface RoundFigures {
  /** Events, from the first write until the last is acknowledged. */
  readonly perSecond: number;
  /** Milliseconds of CPU for a thousand events: of Postgres, and of writers, consumer and receiver. */
  readonly cpuMs: number;
}

/** Of some processes and all that have descended from them, seconds. */
const cpuSeconds = (pids: readonly number[]): number => {
  const tree = readTree(({ pid }) => pids.includes(pid));
  return tree.reduce((sum, { seconds, reapedSeconds }) => sum + seconds + reapedSeconds, 0);
};

/** On a database of its own. */
export const runRound = async (
  server: { readonly url: string; readonly pid: number },
  receiverUrl: string,
  { who, sink }: Contender,
  events: number,
): Promise<RoundFigures> => {
  const { url: adminUrl } = server;
  const url = await freshDatabase(adminUrl, `bench_${who.replaceAll('-', '_')}_${sink}`);
  if (who === 'rendermill') await migrateDatabase(url, log);
  const consumer = await startConsumer(who.replace(/-bare$/, ''), sink, url, receiverUrl);
  const side = await sides[who](url);
  const deliver = async (count: number): Promise<void> => {
    const wanted = (await side.acknowledged()) + count;
    const waiting = payloadsOf(count);
    const write = async () => {
      while (waiting.length > 0) await side.write(waiting.splice(0, perTransaction));
    };
    await Promise.all(Array.from({ length: writers }, write));
    while ((await side.acknowledged()) < wanted) await delay(20);
  };
  await deliver(warmUp);
  const pids = [process.pid, server.pid];
  const [began, cpuBegan] = [performance.now(), cpuSeconds(pids)];
  await deliver(events);
  const seconds = (performance.now() - began) / 1000;
  const cpu = cpuSeconds(pids) - cpuBegan;
  await side.close();
  await consumer.stop();
  return { perSecond: events / seconds, cpuMs: (1e6 * cpu) / events };
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
