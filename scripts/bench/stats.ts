/**
 * A million exports over a year: how long do the statistics and the history answer, through the real HTTP API, for the busiest
 * user and project and for the whole organization, beside the same answered by counting the exports? Shows the query plans, what
 * the counting costs an export, and that the statistics are, number for number, what a scan says.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CompiledQuery, sql } from 'kysely';
import { createApi } from '../../src/apps/api/start-api.ts';
import { openRecords, openResources } from '../../src/apps/resources.ts';
import { createApiKey, type KeyKind } from '../../src/domain/accounts/api-keys.ts';
import { ensureOrganization } from '../../src/domain/accounts/organizations.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import type { Database } from '../../src/platform/db/client.ts';
import { migrateDatabase } from '../../src/platform/db/migrate.ts';
import { createLifecycle } from '../../src/platform/lifecycle/lifecycle.ts';
import { createLogger } from '../../src/platform/log/log.ts';
import { naiveAnswers, showPlans, triggerCost, verify } from './stats-checks.ts';
import { organizationId, seed } from './stats-seed.ts';

const { values } = parseArgs({
  options: {
    exports: { type: 'string', default: process.env.EXPORTS ?? '1000000' },
    rounds: { type: 'string', default: process.env.ROUNDS ?? '40' },
    // A folder that is kept, with what was seeded there before; default: a temporary one.
    home: { type: 'string' },
  },
});
const count = Number(values.exports);
const rounds = Number(values.rounds);
if (!Number.isInteger(count) || count < 1000 || !Number.isInteger(rounds) || rounds < 1)
  throw new Error('Give --exports as a whole number of at least 1000, and --rounds of at least 1.');
const warmUps = 3;
/** Each of them takes up to a second. */
const naiveRounds = 5;

interface Timing {
  readonly median: number;
  readonly p95: number;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

interface Subject {
  readonly name: string;
  readonly work: () => Promise<unknown>;
}

/**
 * Milliseconds of each, by name. One after the other, round by round, so that a machine that is busy with something else is busy
 * for all of them.
 */
const measure = async (subjects: readonly Subject[], times: number): Promise<Map<string, Timing>> => {
  const taken = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (let round = -warmUps; round < times; round++) {
    for (const { name, work } of subjects) {
      const start = performance.now();
      await work();
      if (round >= 0) taken.get(name)?.push(performance.now() - start);
    }
  }
  const timings = [...taken].map(([name, list]): [string, Timing] => {
    const sorted = list.toSorted((x, y) => x - y);
    return [name, { median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) }];
  });
  for (const [name, timing] of timings) say(name, timing);
  return new Map(timings);
};

const say = (name: string, { median, p95 }: Timing): void =>
  console.log(
    `${name.padEnd(58)} ${median.toFixed(1).padStart(8)} ms   p95 ${p95.toFixed(1).padStart(8)} ms`,
  );

const key = async (db: Database, kind: KeyKind): Promise<string> =>
  (await db.transaction().execute((tx) => createApiKey(tx, { organizationId, kind, name: 'bench' }))).key;

const busiest = async (db: Database, column: 'user_id' | 'project_id') =>
  db
    .selectFrom('export')
    .select((select) => [select.ref(column).as('id'), select.fn.countAll<number>().as('exports')])
    .groupBy(column)
    .orderBy('exports', 'desc')
    .executeTakeFirstOrThrow();

const deepShare = 0.9;

/** The cursor that the API would have given out after this share of the user's exports. */
const cursorAfter = async (db: Database, userId: string, share: number): Promise<string> => {
  const { rows } = await sql<{ micros: string; id: string }>`
    SELECT (extract(epoch FROM created_at) * 1000000)::bigint::text AS micros, id FROM export
    WHERE organization_id = ${organizationId} AND user_id = ${userId}
    ORDER BY created_at DESC, id DESC LIMIT 1
    OFFSET (SELECT floor(count(*) * ${share}::float8) FROM export
      WHERE organization_id = ${organizationId} AND user_id = ${userId})`.execute(db);
  const [row] = rows;
  return Buffer.from(`${row?.micros}:${row?.id}`).toString('base64url');
};

const day = (daysAgo: number): string =>
  new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);

const measureAnswers = async (
  db: Database,
  url: string,
  { user, project }: Record<'user' | 'project', string>,
) => {
  const keys = { secret: await key(db, 'secret'), admin: await key(db, 'admin') };
  const asks = (name: string, path: string, kind: keyof typeof keys = 'secret'): Subject => ({
    name,
    work: async () => {
      const response = await fetch(url + path, { headers: { authorization: `Bearer ${keys[kind]}` } });
      const body = await response.text();
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${body}`);
    },
  });
  const year = `from=${day(364)}&until=${day(0)}`;
  const past = `from=${day(200)}&until=${day(171)}`;
  const ofUser = `userId=${user}`;
  const deep = await cursorAfter(db, user, deepShare);
  const answers = {
    userMs: [
      asks('user, 30 days', `/api/stats/user?${ofUser}`),
      asks('user, 365 days', `/api/stats/user?${ofUser}&${year}`),
    ],
    projectMs: [
      asks('project, 30 days', `/api/stats/project/${project}`),
      asks('project, 365 days', `/api/stats/project/${project}?${year}`),
    ],
    systemMs: [
      asks('system, 30 days', '/api/stats/system', 'admin'),
      asks('system, 30 days half a year ago', `/api/stats/system?${past}`, 'admin'),
      asks('system, 365 days', `/api/stats/system?${year}`, 'admin'),
    ],
    historyMs: [
      asks('history of the user, first page', `/api/exports?${ofUser}`),
      asks('history of the user, page at 90 %', `/api/exports?${ofUser}&cursor=${deep}`),
      asks('history of the user, failed', `/api/exports?${ofUser}&status=failed`),
      asks('history of the user, started (none)', `/api/exports?${ofUser}&status=started`),
      asks('history of all, failed', '/api/exports?status=failed'),
      asks('history of all, canceled', '/api/exports?status=canceled'),
      asks('history of all, started (none)', '/api/exports?status=started'),
    ],
  };
  console.log(`\nanswers over HTTP, ${rounds} rounds`);
  const baseline = asks('for comparison: a project alone, two small queries', `/api/projects/${project}`);
  const timings = await measure([baseline, ...Object.values(answers).flat()], rounds);
  const medianOf = ({ name }: Subject) => timings.get(name)?.median ?? Number.NaN;
  return Object.fromEntries(
    Object.entries(answers).map(([figure, subjects]) => [
      figure,
      // Statistics as they are answered without a window, which come first; of the history the slowest kind.
      Math.round(Math.max(...(figure === 'historyMs' ? subjects : subjects.slice(0, 1)).map(medianOf)) * 10) /
        10,
    ]),
  );
};

/** Filling the tables need not survive a power cut; what is measured afterwards runs as it is delivered. */
const careless = async (db: Database, on: boolean): Promise<void> => {
  for (const [setting, value] of [
    ['fsync', 'off'],
    ['full_page_writes', 'off'],
    ['synchronous_commit', 'off'],
    ['max_wal_size', "'4GB'"],
  ]) {
    const change = on ? `SET ${setting} = ${value}` : `RESET ${setting}`;
    await db.executeQuery(CompiledQuery.raw(`ALTER SYSTEM ${change}`));
  }
  await sql`SELECT pg_reload_conf()`.execute(db);
};

const fill = async (db: Database): Promise<void> => {
  await db.transaction().execute((tx) => ensureOrganization(tx, { id: organizationId }));
  await careless(db, true);
  const { seconds, deltas } = await seed(db, count);
  await careless(db, false);
  console.log(`${count} exports written, and ${deltas} deltas folded, in ${seconds.toFixed(0)} s`);
  for (const table of ['export', 'artifact']) await db.executeQuery(CompiledQuery.raw(`ANALYZE ${table}`));
  for (const table of ['export_stat', 'export_hour_stat', 'export_active_month', 'export_stat_delta'])
    await db.executeQuery(CompiledQuery.raw(`VACUUM ANALYZE ${table}`));
};

const main = async () => {
  const home = values.home ?? (await mkdtemp(join(tmpdir(), 'rendermill-bench-stats-')));
  const log = createLogger({ level: 'error' });
  const lifecycle = createLifecycle({ log, deadlineMs: 60_000 });
  const config = loadConfig({ RENDERMILL_HOME: home, LOG_LEVEL: 'error' });
  lifecycle.listenToSignals();
  let figures = {};
  try {
    const process = { config, log, lifecycle };
    const records = await openRecords(process, { owner: true, mayCreate: true });
    await migrateDatabase(records.databaseUrl, log);
    const { db } = records;
    if (!(await db.selectFrom('export').select('id').limit(1).executeTakeFirst())) await fill(db);
    await verify(db);

    const resources = await openResources(process, records);
    const server = await createApi(resources, () => '');
    lifecycle.onStop('api', () => server.close());
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const [user, project] = [await busiest(db, 'user_id'), await busiest(db, 'project_id')];
    console.log(
      `\nbusiest user: ${user.id} with ${user.exports} exports; project: ${project.id} with ${project.exports}`,
    );
    figures = await measureAnswers(db, url, { user: user.id, project: project.id });

    console.log('\nthe same by counting the exports, in SQL alone');
    const naive = naiveAnswers({ userId: user.id, projectId: project.id });
    await measure(
      naive.map(([name, query]) => ({ name: `counted: ${name}`, work: () => query.execute(db) })),
      Math.min(rounds, naiveRounds),
    );
    await showPlans(records.databaseUrl, { userId: user.id, projectId: project.id });
    await triggerCost(db);
  } finally {
    await lifecycle.stop('done');
    if (values.home === undefined) await rm(home, { recursive: true, force: true });
  }
  console.log(JSON.stringify(figures));
};

await main();
