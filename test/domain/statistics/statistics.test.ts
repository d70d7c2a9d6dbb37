import { once } from 'node:events';
import fc from 'fast-check';
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type StatSums, statMeasures } from '../../../src/core/statistics-sums.ts';
import { acceptExport } from '../../../src/domain/exports/accept-export.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { saveProgress } from '../../../src/domain/exports/save-progress.ts';
import { foldDeltas } from '../../../src/domain/statistics/fold-deltas.ts';
import { countActive, readHours } from '../../../src/domain/statistics/read-activity.ts';
import {
  inSnapshot,
  readMonths,
  readTotals,
  readWindow,
  type StatKey,
} from '../../../src/domain/statistics/read-sums.ts';
import { type Database, openDatabase, type Reader } from '../../../src/platform/db/client.ts';
import { ensureEventPartitions } from '../../../src/platform/db/migrate.ts';
import { foundation } from '../../../src/platform/db/migrations/0001-foundation.ts';
import { batches } from '../../../src/platform/db/migrations/0002-batches.ts';
import { statistics } from '../../../src/platform/db/migrations/0003-statistics.ts';
import { identity } from '../../../src/platform/db/migrations/0004-identity.ts';
import { projection } from '../../../src/platform/db/migrations/0005-projection.ts';
import { delivery } from '../../../src/platform/db/migrations/0006-delivery.ts';
import { signals } from '../../../src/platform/db/migrations/0007-signals.ts';
import { scale } from '../../../src/platform/db/migrations/0008-scale.ts';
import {
  accept,
  acceptAndStart,
  anOrder,
  complete,
  countRows,
  createOrganization,
  createUser,
  hours,
  noon,
  openTestDatabase,
  silentLog,
  start,
  times,
} from '../../support/factories.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { scanExports, sumBy } from './scan.ts';

const { db, url, close } = await openTestDatabase();
afterAll(close);

let organizationId: string;
let who: Metered;
beforeEach(async () => {
  organizationId = await createOrganization(db);
  who = await createUser(db, organizationId);
});

const everything = { from: '2025-01-01', until: '2027-12-31' };
const keyOf = (scope: StatKey['scope'], scopeId = ''): StatKey => ({ organizationId, scope, scopeId });

const sumsOf = (row: StatSums): StatSums =>
  Object.fromEntries(statMeasures.map((name) => [name, row[name]])) as StatSums;
const byKey = (entries: readonly (readonly [string, StatSums])[]) =>
  Object.fromEntries(entries.map(([key, row]) => [key, sumsOf(row)]));
const byFormat = (rows: readonly (StatSums & { format: string })[]) =>
  byKey(rows.map((row) => [row.format, row]));

/** What is read for a scope, and what a scan of the exports says of the same snapshot; equal, or the statistics lie. */
const readBoth = (given: { key: StatKey; window?: typeof everything }) =>
  inSnapshot(db, async (tx) => {
    const { key, window = everything } = given;
    const column = key.scope === 'user' ? 'user_id' : 'project_id';
    const scanned = (await scanExports(tx, key.organizationId)).filter(
      (row) => key.scope === 'organization' || row[column] === key.scopeId,
    );
    const inside = scanned.filter((row) => row.day >= window.from && row.day <= window.until);
    const totals = await readTotals(tx, key);
    const read = await readWindow(tx, key, window);
    return {
      statistics: {
        formats: byFormat(totals.formats),
        days: byKey([...read.days]),
        windowFormats: byFormat(read.formats),
        lastExportAt: totals.lastExportAt,
        ...(await activity(tx, key, window)),
      },
      scan: {
        formats: sumBy(scanned, (row) => row.format),
        days: sumBy(inside, (row) => row.day),
        windowFormats: sumBy(inside, (row) => row.format),
        lastExportAt: newest(scanned.map((row) => row.last_export_at)),
        ...(key.scope !== 'organization'
          ? {}
          : {
              months: sumBy(
                scanned.filter((row) => row.day >= monthOf(window.from)),
                (row) => monthOf(row.day),
              ),
              hours: Object.fromEntries(
                Object.entries(sumBy(inside, (row) => String(row.hour))).map(([hour, row]) => [
                  hour,
                  [row.accepted, row.completed, row.failed],
                ]),
              ),
              users: new Set(inside.map((row) => row.user_id)).size,
              projects: new Set(inside.map((row) => row.project_id)).size,
            }),
      },
    };
  });

const monthOf = (day: string): string => `${day.slice(0, 7)}-01`;

const newest = (dates: readonly Date[]): Date | null =>
  dates.length === 0 ? null : new Date(Math.max(...dates.map((date) => date.getTime())));

const activity = async (tx: Reader, key: StatKey, window: typeof everything) => {
  if (key.scope !== 'organization') return {};
  const perHour = await readHours(tx, key.organizationId, window);
  const months = await readMonths(tx, key.organizationId, monthOf(window.from));
  return {
    months: byKey([...months]),
    hours: Object.fromEntries(
      perHour.map((row) => [String(row.hour), [row.accepted, row.completed, row.failed]]),
    ),
    users: await countActive(tx, key.organizationId, 'user', window),
    projects: await countActive(tx, key.organizationId, 'project', window),
  };
};

const expectExact = async (given: { key: StatKey; window?: typeof everything }): Promise<void> => {
  const both = await readBoth(given);
  expect(both.statistics).toEqual(both.scan);
};

const expectAllExact = async (window = everything): Promise<void> => {
  await expectExact({ key: keyOf('organization'), window });
  const { users, projects } = await inSnapshot(db, async (tx) => {
    const rows = await scanExports(tx, organizationId);
    return {
      users: new Set(rows.map((row) => row.user_id)),
      projects: new Set(rows.map((row) => row.project_id)),
    };
  });
  for (const id of users) await expectExact({ key: keyOf('user', id), window });
  for (const id of projects) await expectExact({ key: keyOf('project', id), window });
};

const pending = () => countRows(db, 'export_stat_delta', organizationId);
/** Until nothing of this organization is left, whoever else folds. */
const foldAll = async () => {
  while ((await pending()) > 0) await foldDeltas(db);
};
const onlyFormat = async () => (await readTotals(db, keyOf('organization'))).formats[0];

describe('an export is counted', () => {
  test('as accepted when it is, and in its end when it has one: completed, with footage, time and bytes', async () => {
    const row = await accept(db, who, { kind: 'video', format: 'mp4' });
    expect(await onlyFormat()).toMatchObject({ format: 'mp4', accepted: 1, completed: 0, bytes: 0 });
    const fence = await start(db, row);
    await complete(db, fence, { sizeInBytes: 77, durationSeconds: 10 / 3, renderTimeMs: 350.25 });
    expect(await onlyFormat()).toMatchObject({
      ...{ accepted: 1, completed: 1, failed: 0, canceled: 0, cached: 0, bytes: 77 },
      ...{ footage_count: 1, footage_us: 3_333_333 },
    });
    await expectAllExact();
    await foldAll();
    await expectAllExact();
  });

  test('as failed or canceled, on the day and in the hour of its acceptance, whenever it ends', async () => {
    const accepted = new Date('2026-03-10T23:30:00Z');
    const later = new Date('2026-03-12T09:00:00Z');
    const failing = await accept(db, who, {}, accepted);
    const fence = await start(db, failing, later);
    await db
      .transaction()
      .execute((tx) => failExport(tx, fence, { code: 'render_failed', text: 'no' }, later));
    const canceled = await accept(db, who, {}, accepted);
    await db.transaction().execute((tx) => requestCancel(tx, organizationId, canceled.id, later));
    const { days } = await readWindow(db, keyOf('organization'), everything);
    expect([...days.keys()]).toEqual(['2026-03-10']);
    expect(days.get('2026-03-10')).toMatchObject({ accepted: 2, failed: 1, canceled: 1 });
    expect(await readHours(db, organizationId, everything)).toEqual([
      { hour: 23, accepted: 2, completed: 0, failed: 1 },
    ]);
    await expectAllExact();
  });

  test('not at all where its transaction is rolled back', async () => {
    const refused = db.transaction().execute(async (tx) => {
      await acceptExport(tx, who, anOrder(), new Date(noon));
      throw new Error('after all not');
    });
    await expect(refused).rejects.toThrow('after all not');
    expect(await pending()).toBe(0);
    expect(await readTotals(db, keyOf('organization'))).toEqual({ formats: [], lastExportAt: null });
  });

  test('without a word about progress and starts: only what changes a sum writes anything', async () => {
    const { fence } = await acceptAndStart(db, who);
    expect(await pending()).toBe(1);
    for (const percent of [10, 20, 30])
      await saveProgress(
        db,
        fence,
        { stage: 'rendering', percent, renderedFrames: 1, totalFrames: 10, timeLeftMs: null },
        new Date(noon),
      );
    expect(await pending()).toBe(1);
  });

  test('by statements of many rows as well, those that come already completed and those that lose their end included', async () => {
    const { id } = await accept(db, who);
    const copies = (status: string, count: number, cached: boolean) => sql`
      INSERT INTO export (id, organization_id, user_id, project_id, kind, format, render_mode, status, composition_id, version,
        request, tier, charged_day, charged_hour, created_at, updated_at, cached, duration, render_ms)
      SELECT gen_random_uuid(), organization_id, user_id, project_id || n % 3, kind, format, render_mode, ${status},
        composition_id, version, request, tier, charged_day + n % 40, n % 24, created_at, updated_at, ${cached},
        CASE WHEN n % 2 = 0 THEN n / 7.0 END, CASE WHEN n % 3 = 0 THEN n / 3.0 END
      FROM export, generate_series(1, ${count}) AS n WHERE id = ${id}`;
    for (const n of times(3, (index) => index))
      await sql`INSERT INTO project (organization_id, id) VALUES (${organizationId}, ${`project-1${n}`})`.execute(
        db,
      );
    await copies('completed', 200, false).execute(db);
    await copies('completed', 100, true).execute(db);
    await copies('queued', 100, false).execute(db);
    await expectAllExact();
    await sql`UPDATE export SET status = 'canceled' WHERE organization_id = ${organizationId} AND status = 'queued'`.execute(
      db,
    );
    await foldAll();
    await expectAllExact();
    await sql`UPDATE export SET status = 'queued' WHERE organization_id = ${organizationId} AND cached`.execute(
      db,
    );
    await sql`UPDATE export SET render_ms = 5, duration = 1 WHERE organization_id = ${organizationId}`.execute(
      db,
    );
    await expectAllExact();
    await foldAll();
    await expectAllExact();
  });

  test('from before the statistics existed', async () => {
    const old = await createTestDatabase('template0');
    const { db: before, close: closeBefore } = openDatabase({ url: old.url, log: silentLog });
    // What accepts an export now needs the tables that came later, too.
    for (const migration of [foundation, batches, identity, projection, delivery, signals, scale]) {
      await sql.raw(migration).execute(before);
    }
    await ensureEventPartitions(before, new Date());
    await before.transaction().execute(async (tx) => {
      await sql`INSERT INTO organization (id, name, link_secret) VALUES (${organizationId}, 'o', 'x')`.execute(
        tx,
      );
      await sql`INSERT INTO project (organization_id, id) VALUES (${organizationId}, 'project-1')`.execute(
        tx,
      );
    });
    const user = await createUser(before, organizationId);
    const row = await accept(before, user);
    await accept(before, user, { format: 'jpeg' }, new Date('2026-04-01T00:00:00Z'));
    await complete(before, await start(before, row), { sizeInBytes: 5 });
    await before.transaction().execute((tx) => sql.raw(statistics).execute(tx));
    const scanned = sumBy(await scanExports(before, organizationId), (one) => one.format);
    expect(Object.keys(scanned)).toHaveLength(2);
    expect(byFormat((await readTotals(before, keyOf('organization'))).formats)).toEqual(scanned);
    await foldDeltas(before);
    expect(byFormat((await readTotals(before, keyOf('organization'))).formats)).toEqual(scanned);
    expect(byFormat((await readTotals(before, keyOf('user', 'user-1'))).formats)).toEqual(scanned);
    await closeBefore();
    await old.drop();
  });
});

/** Locks the organization's aggregates, as a fold that hangs would. */
const holdAggregates = async (on: Database) => {
  const done = new AbortController();
  const held = new AbortController();
  const holding = on.transaction().execute(async (tx) => {
    await sql`SELECT FROM export_stat WHERE organization_id = ${organizationId} FOR UPDATE`.execute(tx);
    await sql`SELECT FROM export_hour_stat WHERE organization_id = ${organizationId} FOR UPDATE`.execute(tx);
    await sql`SELECT FROM export_active_month WHERE organization_id = ${organizationId} FOR UPDATE`.execute(
      tx,
    );
    held.abort();
    await once(done.signal, 'abort');
  });
  if (!held.signal.aborted) await once(held.signal, 'abort');
  return {
    release: () => {
      done.abort();
      return holding;
    },
  };
};

describe('the fold', () => {
  test('leaves nothing behind, changes no answer, and may run again', async () => {
    for (const day of times(5, (index) => index)) {
      const row = await accept(db, who, { format: 'webp' }, new Date(Date.parse(noon) + hours(30 * day)));
      if (day % 2 === 0) await complete(db, await start(db, row));
    }
    const before = await readBoth({ key: keyOf('organization') });
    await foldAll();
    expect(await pending()).toBe(0);
    expect(await foldDeltas(db)).toBe(0);
    expect(await readBoth({ key: keyOf('organization') })).toEqual(before);
    await expectAllExact();
  });

  test('that is killed before it commits has moved nothing', async () => {
    await accept(db, who);
    await foldAll();
    await accept(db, who);
    const holder = openDatabase({ url, log: silentLog, maxConnections: 1 });
    const folder = openDatabase({ url, log: silentLog, maxConnections: 1 });
    const { rows } = await sql<{ pid: number }>`SELECT pg_backend_pid() AS pid`.execute(folder.db);
    const holding = await holdAggregates(holder.db);
    const folding = foldDeltas(folder.db).catch((error: unknown) => error);
    await expect
      .poll(async () => {
        const waiting = await sql`SELECT FROM pg_locks WHERE pid = ${rows[0]?.pid} AND NOT granted`.execute(
          db,
        );
        return waiting.rows.length;
      })
      .toBeGreaterThan(0);
    await sql`SELECT pg_terminate_backend(${rows[0]?.pid})`.execute(db);
    expect(await folding).toBeInstanceOf(Error);
    await holding.release();
    expect(await pending()).toBe(1);
    await expectAllExact();
    await foldAll();
    await expectAllExact();
    await folder.close();
    await holder.close();
  });

  test('never lets an acceptance wait', async () => {
    await accept(db, who);
    await foldAll();
    await accept(db, who);
    const holding = await holdAggregates(db);
    await complete(db, (await acceptAndStart(db, who)).fence);
    await holding.release();
    expect((await onlyFormat())?.accepted).toBe(3);
  });
});

describe('a window', () => {
  const on = (day: string) => new Date(`${day}T12:00:00Z`);

  test.each([
    ['before everything', '2026-01-01', '2026-01-31', 0],
    ['of the first day', '2026-03-01', '2026-03-01', 2],
    ['between two days of a user', '2026-03-02', '2026-03-04', 0],
    ['of a day in the midst', '2026-03-05', '2026-03-05', 1],
    ['to the last day', '2026-03-06', '2026-03-10', 1],
    ['over everything', '2026-02-01', '2026-04-01', 3],
  ])('%s counts who was active in it, folded or not', async (_, from, until, users) => {
    const second = await createUser(db, organizationId, { id: 'user-2' });
    const third = await createUser(db, organizationId, { id: 'user-3' });
    for (const day of ['2026-03-01', '2026-03-10']) await accept(db, who, {}, on(day));
    for (const day of ['2026-03-01', '2026-03-05']) await accept(db, second, {}, on(day));
    await accept(db, third, {}, on('2026-04-01'));
    expect(await countActive(db, organizationId, 'user', { from, until })).toBe(users);
    await foldAll();
    expect(await countActive(db, organizationId, 'user', { from, until })).toBe(users);
    await expectAllExact({ from, until });
  });
});

test('at every moment, in any order of acceptances, ends, rollbacks and folds at once, each answer equals a scan', async () => {
  const step = fc.record({
    user: fc.integer({ min: 1, max: 3 }),
    project: fc.integer({ min: 1, max: 2 }),
    format: fc.constantFrom('png' as const, 'jpeg' as const, 'mp4' as const),
    hour: fc.integer({ min: 0, max: 24 * 70 }),
    end: fc.constantFrom('complete', 'fail', 'cancel', 'cancel started', 'none', 'roll back'),
    bytes: fc.integer({ min: 1, max: 1e9 }),
    seconds: fc.option(fc.double({ min: 0.01, max: 100, noNaN: true })),
  });
  type Step = typeof step extends fc.Arbitrary<infer One> ? One : never;

  const live = async (one: Step, users: readonly Metered[]): Promise<void> => {
    const now = new Date(Date.parse('2026-01-20T00:00:00Z') + hours(one.hour));
    const user = users[one.user - 1] ?? who;
    const order = {
      projectId: `project-${one.project}`,
      format: one.format,
      kind: one.format === 'mp4' ? ('video' as const) : ('still' as const),
    };
    const inTx = <T>(work: Parameters<ReturnType<typeof db.transaction>['execute']>[0]) =>
      db.transaction().execute(work) as Promise<T>;
    if (one.end === 'roll back') {
      const rolled = inTx(async (tx) => {
        await acceptExport(tx, user, anOrder(order), now);
        throw new Error('rolled back');
      });
      return void (await rolled.catch(() => undefined));
    }
    const row: Export = await accept(db, user, order, now);
    if (one.end === 'none') return;
    if (one.end === 'cancel')
      return void (await inTx((tx) => requestCancel(tx, organizationId, row.id, now)));
    const fence = await start(db, row, now);
    if (one.end === 'cancel started') await inTx((tx) => requestCancel(tx, organizationId, row.id, now));
    if (one.end === 'fail')
      return void (await inTx((tx) => failExport(tx, fence, { code: 'render_failed', text: 'no' }, now)));
    await complete(db, fence, { sizeInBytes: one.bytes, durationSeconds: one.seconds }, now);
  };

  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
      organizationId = await createOrganization(db);
      const users = await Promise.all(
        [1, 2, 3].map((id) => createUser(db, organizationId, { id: `user-${id}` })),
      );
      let running = true;
      const untilDone = async (work: () => Promise<unknown>) => {
        while (running) await work();
      };
      const beside = [
        untilDone(() => foldDeltas(db)),
        untilDone(() => foldDeltas(db)),
        untilDone(() => expectExact({ key: keyOf('organization') })),
        untilDone(() => expectExact({ key: keyOf('user', 'user-1') })),
        untilDone(() => expectExact({ key: keyOf('project', 'project-1') })),
      ];
      const watched = Promise.all(beside);
      watched.catch(() => undefined);
      try {
        await Promise.all(steps.map((one) => live(one, users)));
      } finally {
        running = false;
      }
      await watched;
      await expectAllExact({ from: '2026-02-01', until: '2026-02-20' });
      await foldAll();
      await expectAllExact();
      await expectAllExact({ from: '2026-02-01', until: '2026-02-20' });
    }),
    // A race does not happen twice: a smaller example would not be the same failure.
    { numRuns: 8, endOnFailure: true },
  );
}, 120_000);
