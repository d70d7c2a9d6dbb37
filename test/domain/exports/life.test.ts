import { afterAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { grantCredits } from '../../../src/domain/credits/ledger.ts';
import { finishCancel, requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { completeExport } from '../../../src/domain/exports/complete-export.ts';
import type { Fence } from '../../../src/domain/exports/export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import { awaitRetry, handBack } from '../../../src/domain/exports/return-export.ts';
import { saveProgress } from '../../../src/domain/exports/save-progress.ts';
import { maxFruitlessStarts, startExport } from '../../../src/domain/exports/start-export.ts';
import type { Tx } from '../../../src/platform/db/client.ts';
import {
  accept,
  acceptAndStart,
  aFile,
  complete,
  createOrganization,
  createUser,
  eventNamesOf,
  eventsOf,
  noon,
  openTestDatabase,
  outcomes,
  readExport,
  start,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const later = new Date('2026-03-10T12:00:30.000Z');
const failure = { code: 'composition_error', text: 'It threw.' } as const;
const inTransaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => db.transaction().execute(work);
const progress = { stage: 'rendering', percent: 50, renderedFrames: 5, totalFrames: 10, timeLeftMs: 100 };
const newUser = async () => createUser(db, await createOrganization(db));

describe('the fence', () => {
  const writes: Record<string, (tx: Tx, fence: Fence) => Promise<unknown>> = {
    complete: (tx, fence) => completeExport(tx, fence, aFile(), later),
    fail: (tx, fence) => failExport(tx, fence, failure, later),
    'finish a cancel': (tx, fence) => finishCancel(tx, fence, later),
    'hand back': (tx, fence) => handBack(tx, fence, later),
    'await a retry': (tx, fence) => awaitRetry(tx, fence, failure, later),
  };
  const stale: Record<string, (fence: Fence) => Fence> = {
    'an older epoch': (fence) => ({ ...fence, epoch: fence.epoch - 1 }),
    'an older attempt': (fence) => ({ ...fence, attempt: fence.attempt - 1 }),
    'a later epoch': (fence) => ({ ...fence, epoch: fence.epoch + 1 }),
    'an export that does not exist': (fence) => ({ ...fence, exportId: newId() }),
  };

  describe.each(Object.keys(writes))('to %s', (write) => {
    test.each(Object.keys(stale))('with %s changes nothing', async (kind) => {
      const who = await newUser();
      const { row, fence } = await acceptAndStart(db, who);
      const before = await readExport(db, row.id);
      const eventsBefore = await eventNamesOf(db, who.organizationId);
      const old = stale[kind]?.(fence) ?? fence;
      await expect(
        inTransaction((tx) => writes[write]?.(tx, old) ?? Promise.resolve()),
      ).rejects.toMatchObject({ code: 'render_lost' });
      expect(await readExport(db, row.id)).toEqual(before);
      expect(await eventNamesOf(db, who.organizationId)).toEqual(eventsBefore);
    });

    test.each(['complete', 'fail', 'finish a cancel'])(
      'after the holder did %s changes nothing',
      async (end) => {
        const { row, fence } = await acceptAndStart(db, await newUser());
        await inTransaction((tx) => writes[end]?.(tx, fence) ?? Promise.resolve());
        const before = await readExport(db, row.id);
        await expect(
          inTransaction((tx) => writes[write]?.(tx, fence) ?? Promise.resolve()),
        ).rejects.toMatchObject({ code: 'render_lost' });
        expect(await readExport(db, row.id)).toEqual(before);
      },
    );
  });

  test('of the same job that was taken over by a second worker refuses the first', async () => {
    const row = await accept(db, await newUser());
    const first = await start(db, row);
    const second = await start(db, row);
    expect(second).toEqual({ ...first, attempt: first.attempt + 1 });
    await expect(complete(db, first)).rejects.toMatchObject({ code: 'render_lost' });
    await expect(complete(db, second)).resolves.toMatchObject({ status: 'completed' });
  });

  test('lets exactly one of many that finish at once through', async () => {
    const who = await newUser();
    const { fence } = await acceptAndStart(db, who);
    const { fulfilled, codes } = await outcomes(times(10, () => complete(db, fence)));
    expect(fulfilled).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(['render_lost']));
    const names = await eventNamesOf(db, who.organizationId);
    expect(names.filter((name) => name === 'video_rendered')).toHaveLength(1);
  });

  test('still holds an export that the feeder put back into its line, until someone plans it again', async () => {
    const { row, fence } = await acceptAndStart(db, await newUser());
    await db.updateTable('export').set({ status: 'queued', fed_at: null }).where('id', '=', row.id).execute();
    await expect(complete(db, fence)).resolves.toMatchObject({ status: 'completed' });
  });

  test('of an old job cannot even start', async () => {
    const row = await accept(db, await newUser());
    const old = { exportId: row.id, epoch: row.epoch, workerId: newId() };
    await db.updateTable('export').set({ epoch: 1 }).where('id', '=', row.id).execute();
    expect(await inTransaction((tx) => startExport(tx, old, now))).toEqual({ type: 'stale' });
    expect(await readExport(db, row.id)).toMatchObject({ status: 'queued', attempt: 0 });
  });
});

describe('progress', () => {
  test('is saved for the holder, is lost for a stale one, and tells of a cancel', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    expect(await saveProgress(db, fence, progress, later)).toBe('held');
    expect(await readExport(db, row.id)).toMatchObject({ progress, progress_at: later });
    expect(await saveProgress(db, { ...fence, attempt: 0 }, { ...progress, percent: 1 }, later)).toBe('lost');
    expect((await readExport(db, row.id)).progress).toEqual(progress);
    await inTransaction((tx) => requestCancel(tx, who.organizationId, row.id, later));
    expect(await saveProgress(db, fence, progress, later)).toBe('cancel_requested');
    await inTransaction((tx) => finishCancel(tx, fence, later));
    expect(await saveProgress(db, fence, progress, later)).toBe('lost');
  });
});

describe('a completion', () => {
  test('records processing_completed, video_rendered and, the first time, first_render_completed, with the facts', async () => {
    const who = await newUser();
    const row = await accept(db, who, {}, now);
    const fence = await start(db, row, new Date(now.getTime() + 2_000));
    await complete(
      db,
      fence,
      { sizeInBytes: 999, width: 540, height: 270, renderTimeMs: 300 },
      new Date(now.getTime() + 5_000),
    );
    const events = await eventsOf(db, who.organizationId);
    expect(events.map((event) => event.event_name)).toEqual([
      'job_created',
      'processing_started',
      'processing_completed',
      'video_rendered',
      'first_render_completed',
    ]);
    expect(events[2]?.properties).toMatchObject({
      job_id: row.id,
      attempt: 1,
      success_bool: true,
      video_bytes: 999,
      resolution: '540x270',
      queue_wait_ms: 2_000,
      processing_time_ms: 3_000,
    });
    expect(events[3]?.properties).toEqual({
      compositionId: 'hero-ad',
      exportId: row.id,
      projectId: 'project-1',
      renderMode: 'local',
      format: 'png',
      width: 540,
      height: 270,
      sizeInBytes: 999,
      duration: 300,
      userId: who.userId,
      timestamp: '2026-03-10T12:00:05.000Z',
    });
  });

  test('writes the artifact and the real size in the same transaction', async () => {
    const { row, fence } = await acceptAndStart(db, await newUser());
    await complete(db, fence, { width: 100, height: 50, sizeInBytes: 42 });
    const artifact = await db
      .selectFrom('artifact')
      .selectAll()
      .where('export_id', '=', row.id)
      .executeTakeFirstOrThrow();
    expect(artifact).toMatchObject({
      organization_id: row.organization_id,
      size_in_bytes: 42,
      width: 100,
      height: 50,
    });
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'completed',
      width: 100,
      height: 50,
      completed_at: now,
    });
  });

  test('of the second render fires video_rendered again and first_render_completed never again', async () => {
    const who = await newUser();
    for (const _round of [1, 2, 3]) await complete(db, (await acceptAndStart(db, who)).fence);
    const names = await eventNamesOf(db, who.organizationId);
    expect(names.filter((name) => name === 'video_rendered')).toHaveLength(3);
    expect(names.filter((name) => name === 'first_render_completed')).toHaveLength(1);
  });

  test('of ten first renders at once fires first_render_completed exactly once', async () => {
    const who = await newUser();
    const started = await Promise.all(times(10, () => acceptAndStart(db, who)));
    const { codes } = await outcomes(started.map(({ fence }) => complete(db, fence)));
    expect(codes).toEqual([]);
    const names = await eventNamesOf(db, who.organizationId);
    expect(names.filter((name) => name === 'first_render_completed')).toHaveLength(1);
    expect(names.filter((name) => name === 'video_rendered')).toHaveLength(10);
  });

  test('that rolls back takes its events, its artifact and the milestone with it', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    const broken = inTransaction(async (tx) => {
      await completeExport(tx, fence, aFile(), now);
      throw new Error('the connection broke');
    });
    await expect(broken).rejects.toThrow('the connection broke');
    expect(await readExport(db, row.id)).toMatchObject({ status: 'started' });
    expect(await eventNamesOf(db, who.organizationId)).toEqual(['job_created', 'processing_started']);
    await complete(db, fence);
    expect(await eventNamesOf(db, who.organizationId)).toContain('first_render_completed');
  });
});

describe('a failure', () => {
  test.each(['render_timeout', 'render_stalled'] as const)(
    'by %s records job_timeout before processing_failed',
    async (code) => {
      const who = await newUser();
      const { fence } = await acceptAndStart(db, who);
      await inTransaction((tx) => failExport(tx, fence, { code, text: 'It took too long.' }, later));
      const events = await eventsOf(db, who.organizationId);
      expect(events.map((event) => event.event_name).slice(2)).toEqual(['job_timeout', 'processing_failed']);
      expect(events[3]?.properties).toMatchObject({
        success_bool: false,
        error_code: code,
        failure_reason: 'It took too long.',
        attempt: 1,
        processing_time_ms: 30_000,
      });
    },
  );

  test('by anything else records no job_timeout, and without credits no job_refunded', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    await inTransaction((tx) => failExport(tx, fence, failure, later));
    expect((await eventNamesOf(db, who.organizationId)).slice(2)).toEqual(['processing_failed']);
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'failed',
      error_code: 'composition_error',
      error_text: 'It threw.',
      failed_at: later,
    });
  });

  test('with credits records job_refunded once, with what the balance was and is', async () => {
    const who = await createUser(db, await createOrganization(db), { tier: 'credits' });
    await inTransaction((tx) => grantCredits(tx, who, { amount: 2, now }));
    const { fence } = await acceptAndStart(db, who);
    await inTransaction((tx) => failExport(tx, fence, failure, later));
    const refunds = (await eventsOf(db, who.organizationId)).filter(
      (event) => event.event_name === 'job_refunded',
    );
    expect(refunds.map((event) => event.properties)).toMatchObject([
      { credits_before: 1, credits_after: 2, error_code: 'composition_error', failure_reason: 'It threw.' },
    ]);
  });

  test('whose text Postgres cannot keep is kept all the same: a render must be able to fail', async () => {
    const { row, fence } = await acceptAndStart(db, await newUser());
    const text = 'Error: a\0b and half a pair \ud83d';
    await inTransaction((tx) => failExport(tx, fence, { code: 'composition_error', text }, later));
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'failed',
      error_text: 'Error: a\ufffdb and half a pair \ufffd',
    });
  });

  test('that is to be tried again is told as well, whatever its text', async () => {
    const { row, fence } = await acceptAndStart(db, await newUser());
    await inTransaction((tx) => awaitRetry(tx, fence, { code: 'browser_lost', text: 'gone\0' }, later));
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'queued',
      error_text: 'gone\ufffd',
      failed_attempts: 1,
    });
  });
});

test('a reason of any length is kept as a person can read it', async () => {
  const who = await newUser();
  const { row, fence } = await acceptAndStart(db, who);
  const reason = { code: 'composition_error', text: 'X'.repeat(1_000_000) } as const;
  await inTransaction((tx) => failExport(tx, fence, reason, later));
  expect((await readExport(db, row.id)).error_text).toHaveLength(2_000);
  const failed = (await eventsOf(db, who.organizationId)).find(
    (event) => event.event_name === 'processing_failed',
  );
  expect(failed?.properties.failure_reason).toHaveLength(2_000);
});

describe('starts that come to nothing', () => {
  test(`are allowed ${maxFruitlessStarts} times; then the export is given up, and all given back`, async () => {
    const who = await newUser();
    const row = await accept(db, who);
    for (let round = 0; round < maxFruitlessStarts; round++) await start(db, row);
    const job = { exportId: row.id, epoch: row.epoch, workerId: newId() };
    expect(await inTransaction((tx) => startExport(tx, job, later))).toEqual({ type: 'stale' });
    expect(await readExport(db, row.id)).toMatchObject({ status: 'failed', error_code: 'render_abandoned' });
    expect((await eventNamesOf(db, who.organizationId)).at(-1)).toBe('processing_failed');
  });

  test('do not count where the worker handed back or a retry was asked for', async () => {
    const row = await accept(db, await newUser());
    for (let round = 0; round < maxFruitlessStarts * 2; round++) {
      const fence = await start(db, row);
      await inTransaction((tx) =>
        round % 2 === 0 ? handBack(tx, fence, later) : awaitRetry(tx, fence, failure, later),
      );
    }
    await expect(start(db, row)).resolves.toMatchObject({ attempt: maxFruitlessStarts * 2 + 1 });
  });
});

describe('an export that was handed back', () => {
  test('waits to be planned anew, keeps its first start and its charge', async () => {
    const who = await newUser();
    const { row, fence } = await acceptAndStart(db, who);
    await inTransaction((tx) => handBack(tx, fence, later));
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'queued',
      fed_at: null,
      worker_id: null,
      hand_backs: 1,
      failed_attempts: 0,
      started_at: now,
    });
    const planned = (await planNext(db, { mode: 'local', inFlight: 1_000, slots: 500 }, later)) ?? [];
    expect(planned).toContainEqual(
      expect.objectContaining({ id: row.id, epoch: fence.epoch + 1, groupId: null }),
    );
    expect(await eventNamesOf(db, who.organizationId)).toEqual(['job_created', 'processing_started']);
  });
});
