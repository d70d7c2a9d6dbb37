import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { getExport } from '../../src/domain/exports/export.ts';
import type { Checkpoint } from '../../src/features/renders/render-deps.ts';
import { executeSql } from '../support/postgres.ts';
import { freePort, startTestRedis } from '../support/redis.ts';
import {
  endWorker,
  eventually,
  openScene,
  organizationId,
  processesOf,
  type Scene,
} from '../support/scene.ts';

const still = { compositionId: 'example-hero-ad', kind: 'still', format: 'jpeg', width: 320, height: 320 };
const video = {
  compositionId: 'promo-video',
  kind: 'video',
  format: 'mp4',
  width: 320,
  height: 180,
  frameRange: [0, 23],
};

let scene: Scene;
beforeAll(async () => {
  scene = await openScene();
}, 120_000);
afterAll(() => scene?.close());

const statusOf = async (id: string) => (await getExport(scene.resources.db, organizationId, id)).status;

const completed = (id: string, withinMs = 60_000) =>
  eventually(
    () => statusOf(id),
    (status) => status === 'completed',
    { withinMs, what: `completion of ${id}` },
  );

const usage = async () => {
  const { db } = scene.resources;
  const { used } = await db
    .selectFrom('usage_day')
    .select('used')
    .where('user_id', '=', 'ada')
    .executeTakeFirstOrThrow();
  const project = await db
    .selectFrom('project')
    .select('export_count')
    .where('id', '=', 'launch')
    .executeTakeFirstOrThrow();
  return { used, counted: project.export_count };
};

const expectExactlyOnce = async (id: string) => {
  const names = await scene.eventNamesOf(id);
  expect(names.filter((name) => name === 'video_rendered')).toHaveLength(1);
  expect(names.filter((name) => name === 'processing_completed')).toHaveLength(1);
  expect(names).not.toContain('processing_failed');
  await eventually(
    () => scene.filesOf(id),
    (files) => files.length === 1,
    { what: 'the removal of lost files' },
  );
};

const workFolders = () => readdir(join(scene.home, 'work')).catch(() => [] as string[]);

const expectNothingLeft = async () => {
  await scene.nothingRuns();
  await eventually(workFolders, (found) => found.length === 0, { what: 'the removal of temporary folders' });
};

describe('a worker that is killed with SIGKILL', () => {
  const points: ReadonlyArray<[Checkpoint, typeof still | typeof video]> = [
    ['received', still],
    ['claimed', still],
    ['bundle_ready', still],
    ['first_progress', video],
    ['half_rendered', video],
    ['rendered', still],
    ['stored', still],
    ['before_commit', still],
    ['committed', still],
    ['cleaned', still],
  ];

  test.each(points)(
    'at "%s" leaves one completion, one event, one charge and nothing else',
    async (point, request) => {
      const before = await usage().catch(() => ({ used: 0, counted: 0 }));
      const id = await scene.accept(request);
      await scene.killWorkerAt(point);

      const rescuer = await scene.startWorker();
      await completed(id);
      await expectExactlyOnce(id);
      expect(await usage()).toEqual({ used: before.used + 1, counted: before.counted + 1 });
      await endWorker(rescuer);
      await expectNothingLeft();
    },
    120_000,
  );
});

test('a browser that is killed under a render costs an attempt, not the export', async () => {
  const worker = await scene.startWorker();
  const id = await scene.accept({ ...video, frameRange: [0, 59] });
  const browser = await eventually(
    async () => {
      const progress = (await getExport(scene.resources.db, organizationId, id)).progress;
      const main = (await processesOf(scene.home)).find(
        (line) => /--user-data-dir/.test(line) && !/--type=/.test(line),
      );
      return progress && progress.renderedFrames > 0 ? main : undefined;
    },
    (found) => found !== undefined,
    { what: 'a browser at work' },
  );
  process.kill(Number(browser?.split(' ')[0]), 'SIGKILL');
  await completed(id);
  await expectExactlyOnce(id);
  expect((await getExport(scene.resources.db, organizationId, id)).attempt).toBeGreaterThan(1);
  await endWorker(worker);
  await expectNothingLeft();
}, 120_000);

const expectNothingLostBy = async (wipe: () => Promise<unknown>) => {
  const worker = await scene.startWorker();
  const ids = [await scene.accept(video), await scene.accept(still), await scene.accept(still)];
  await eventually(
    () => statusOf(ids[0] ?? ''),
    (status) => status === 'started',
    { what: 'the first start' },
  );
  await wipe();
  for (const id of ids) await completed(id);
  for (const id of ids) await expectExactlyOnce(id);
  await endWorker(worker);
  await expectNothingLeft();
};

test('a queue that is wiped with jobs waiting and running loses nothing (Postgres)', async () => {
  await expectNothingLostBy(() => wipePostgresQueue(scene.resources.databaseUrl));
}, 120_000);

test('a queue that is wiped with jobs waiting and running loses nothing (Redis)', async ({ skip }) => {
  const redis = await startTestRedis();
  if (redis === null) return skip('no redis-server is installed');
  const usual = scene;
  scene = await openScene({ REDIS_URL: redis.url });
  try {
    await expectNothingLostBy(() => promisify(execFile)('redis-cli', ['-u', redis.url, 'FLUSHALL']));
  } finally {
    await scene.close();
    scene = usual;
    await redis.remove();
  }
}, 180_000);

test('an API that is killed half-way through a request leaves nothing, and the same key is accepted later', async () => {
  const { db } = scene.resources;
  const request = { ...still, userId: 'eve', projectId: 'half-way' };
  await scene.call('PUT', '/api/projects/half-way', { name: 'Half-way' });
  const api = await startApiProcess(scene);
  const headers = {
    authorization: `Bearer ${scene.key}`,
    'content-type': 'application/json',
    'idempotency-key': 'half-way-1',
  };
  const send = (url: string) =>
    fetch(`${url}/api/render`, { method: 'POST', headers, body: JSON.stringify(request) });

  // Holds the project's row, so that the request stands between its reservation and its export.
  await db.transaction().execute(async (tx) => {
    await tx.selectFrom('project').selectAll().where('id', '=', 'half-way').forUpdate().execute();
    const answer = send(api.url).catch((error: unknown) => error);
    await eventually(
      () => blockedBackends(scene),
      (count) => count > 0,
      { what: 'a request that waits for the row' },
    );
    api.process.kill('SIGKILL');
    expect(await answer).toBeInstanceOf(Error);
  });
  // Postgres finds the client gone when the row is free and the statement ends, and rolls back.
  const itsTransactions = () => openTransactions(scene);
  await eventually(itsTransactions, (count) => count === 0, { what: 'the end of its transaction' });
  for (const table of ['export', 'usage_day', 'end_user'] as const) {
    const column = table === 'end_user' ? 'id' : 'user_id';
    expect(
      await db
        .selectFrom(table)
        .selectAll()
        .where(column as never, '=', 'eve' as never)
        .execute(),
    ).toEqual([]);
  }
  const again = await send(scene.url);
  expect(again.status).toBe(202);
  expect(again.headers.get('idempotent-replayed')).toBeNull();
  expect(await db.selectFrom('export').selectAll().where('user_id', '=', 'eve').execute()).toHaveLength(1);
}, 60_000);

const blockedBackends = async ({ resources }: Scene): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`.execute(
    resources.db,
  );
  return rows[0]?.count ?? 0;
};

const openTransactions = async ({ resources }: Scene): Promise<number> => {
  const { rows } = await sql<{ count: number }>`
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`.execute(
    resources.db,
  );
  return rows[0]?.count ?? 0;
};

/** `rendermill api` as a process of its own, on the scene's database. */
const startApiProcess = async ({
  resources,
  home,
}: Scene): Promise<{ url: string; process: ChildProcess }> => {
  const port = await freePort();
  const api = spawn('scripts/rendermill', ['api'], {
    env: {
      ...process.env,
      DATABASE_URL: resources.databaseUrl,
      RENDERMILL_HOME: home,
      PORT: String(port),
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await eventually(isReady, Boolean, { what: 'an API that is ready' });
  return { url, process: api };
};

const wipePostgresQueue = (url: string) =>
  executeSql(
    url,
    `DO $$ DECLARE one record; BEGIN
       FOR one IN SELECT tablename FROM pg_tables WHERE schemaname = 'bullmq' AND tablename NOT LIKE '%migration%' LOOP
         EXECUTE format('TRUNCATE bullmq.%I CASCADE', one.tablename);
       END LOOP;
     END $$`,
  );
