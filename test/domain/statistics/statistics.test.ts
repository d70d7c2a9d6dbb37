import { once } from 'node:events';
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { acceptExport } from '../../../src/domain/exports/accept-export.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { saveProgress } from '../../../src/domain/exports/save-progress.ts';
import { foldDeltas } from '../../../src/domain/statistics/fold-deltas.ts';
import { countActive, readHours } from '../../../src/domain/statistics/read-activity.ts';
import { readTotals, readWindow, type StatKey } from '../../../src/domain/statistics/read-sums.ts';
import { type Database, openDatabase } from '../../../src/platform/db/client.ts';
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
import { byFormat, everything, expectAllExact, foldAll, pendingOf, readBoth } from './exact.ts';
import { scanExports, sumBy } from './scan.ts';

const { db, url, close } = await openTestDatabase();
afterAll(close);

let organizationId: string;
let who: Metered;
beforeEach(async () => {
  organizationId = await createOrganization(db);
  who = await createUser(db, organizationId);
});

const keyOf = (scope: StatKey['scope'], scopeId = ''): StatKey => ({ organizationId, scope, scopeId });
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
    await expectAllExact(db, organizationId);
    await foldAll(db, organizationId);
    await expectAllExact(db, organizationId);
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
    await expectAllExact(db, organizationId);
  });

  test('not at all where its transaction is rolled back', async () => {
    const refused = db.transaction().execute(async (tx) => {
      await acceptExport(tx, who, anOrder(), new Date(noon));
      throw new Error('after all not');
    });
    await expect(refused).rejects.toThrow('after all not');
    expect(await pendingOf(db, organizationId)).toBe(0);
    expect(await readTotals(db, keyOf('organization'))).toEqual({ formats: [], lastExportAt: null });
  });

  test('without a word about progress and starts: only what changes a sum writes anything', async () => {
    const { fence } = await acceptAndStart(db, who);
    expect(await pendingOf(db, organizationId)).toBe(1);
    for (const percent of [10, 20, 30])
      await saveProgress(
        db,
        fence,
        { stage: 'rendering', percent, renderedFrames: 1, totalFrames: 10, timeLeftMs: null },
        new Date(noon),
      );
    expect(await pendingOf(db, organizationId)).toBe(1);
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
    await expectAllExact(db, organizationId);
    await sql`UPDATE export SET status = 'canceled' WHERE organization_id = ${organizationId} AND status = 'queued'`.execute(
      db,
    );
    await foldAll(db, organizationId);
    await expectAllExact(db, organizationId);
    await sql`UPDATE export SET status = 'queued' WHERE organization_id = ${organizationId} AND cached`.execute(
      db,
    );
    await sql`UPDATE export SET render_ms = 5, duration = 1 WHERE organization_id = ${organizationId}`.execute(
      db,
    );
    await expectAllExact(db, organizationId);
    await foldAll(db, organizationId);
    await expectAllExact(db, organizationId);
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
    const before = await readBoth(db, keyOf('organization'));
    await foldAll(db, organizationId);
    expect(await pendingOf(db, organizationId)).toBe(0);
    expect(await foldDeltas(db)).toBe(0);
    expect(await readBoth(db, keyOf('organization'))).toEqual(before);
    await expectAllExact(db, organizationId);
  });

  test('that is killed before it commits has moved nothing', async () => {
    await accept(db, who);
    await foldAll(db, organizationId);
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
    expect(await pendingOf(db, organizationId)).toBe(1);
    await expectAllExact(db, organizationId);
    await foldAll(db, organizationId);
    await expectAllExact(db, organizationId);
    await folder.close();
    await holder.close();
  });

  test('never lets an acceptance wait', async () => {
    await accept(db, who);
    await foldAll(db, organizationId);
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
    await foldAll(db, organizationId);
    expect(await countActive(db, organizationId, 'user', { from, until })).toBe(users);
    await expectAllExact(db, organizationId, { from, until });
  });
});
