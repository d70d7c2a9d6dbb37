/** Exports of a mode that no live worker serves: when they end, how, and that each has one end. */
import { sql } from 'kysely';
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RenderMode } from '../../../src/core/exports.ts';
import { newId } from '../../../src/core/ids.ts';
import type { TierOverrides } from '../../../src/core/tiers.ts';
import { feedDueRuns } from '../../../src/domain/batches/due-runs.ts';
import { prepareRetry } from '../../../src/domain/batches/open-run.ts';
import { creditBalance } from '../../../src/domain/credits/ledger.ts';
import { requestBatchCancel } from '../../../src/domain/exports/cancel-batch.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { cutExport } from '../../../src/domain/exports/chunks/cut-export.ts';
import { finishChunk } from '../../../src/domain/exports/chunks/finish-chunk.ts';
import { startChunk } from '../../../src/domain/exports/chunks/start-chunk.ts';
import type { Export, Fence } from '../../../src/domain/exports/export.ts';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import { limitState, type Metered } from '../../../src/domain/exports/limits.ts';
import { planCells, readNextCells } from '../../../src/domain/exports/plan-cells.ts';
import { saveRemoteRender } from '../../../src/domain/exports/remote-render.ts';
import { startExport } from '../../../src/domain/exports/start-export.ts';
import {
  endUnserved,
  findUnserved,
  unservedModes,
  watchGapMs,
  watchModes,
} from '../../../src/domain/exports/unserved.ts';
import { removeWorker, type WorkerState } from '../../../src/domain/exports/workers.ts';
import { giveCredits } from '../../../src/features/accounts/give-credits.ts';
import { type EndUnservedDeps, endUnservedExports } from '../../../src/features/renders/end-unserved.ts';
import type { Clock } from '../../../src/platform/clock/clock.ts';
import { acceptBatch, cellsOf, planBatch, planRun, squares } from '../../support/batches.ts';
import {
  accept,
  beatOnce,
  complete,
  countRows,
  createOrganization,
  createTestClock,
  createUser,
  eventNamesOf,
  eventsOf,
  noon,
  openTestDatabase,
  outcomes,
  readExport,
  registerCompositions,
  silentLog,
  start,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const clock = createTestClock();
const timeoutSeconds = 3_600;
const lookEveryMs = 60_000;
beforeEach(async () => {
  clock.set(noon);
  await db
    .updateTable('export')
    .set({ status: 'canceled', canceled_at: new Date(noon) })
    .execute();
  await db.updateTable('batch_run').set({ due: false }).execute();
  await db.deleteFrom('worker').execute();
  await db.deleteFrom('render_mode_watch').execute();
});

const turns = new Map<RenderMode, string>();
const round = (given: Partial<EndUnservedDeps> = {}) =>
  endUnservedExports({ db, clock, log: silentLog, timeoutSeconds, fallsBack: false, turns, ...given });
/** Rounds, one after another, until one has nothing to do. */
const look = async (given: Partial<EndUnservedDeps> = {}): Promise<number> => {
  let settled = 0;
  for (;;) {
    const one = await round(given);
    settled += one.settled;
    if (!one.isMore) return settled;
  }
};
/** Somebody looks every minute, as long as that; returns how many were settled. */
const watchFor = async (seconds: number, given: Parameters<typeof look>[0] = {}): Promise<number> => {
  let settled = await look(given);
  for (let passed = 0; passed < seconds * 1000; passed += lookEveryMs) {
    clock.advance(lookEveryMs);
    settled += await look(given);
  }
  return settled;
};
const both: WorkerState = {
  concurrency: 2,
  lambdaConcurrency: 10,
  renderModes: ['local', 'lambda'],
  paused: null,
};
const beat = (state: WorkerState, id?: string) => beatOnce(db, state, id);
const newUser = async (tiers: TierOverrides = {}): Promise<Metered> => {
  const organizationId = await createOrganization(db, { tiers });
  await registerCompositions(db, organizationId);
  return createUser(db, organizationId, { tiers });
};
const onLambda = (who: Metered) => accept(db, who, { renderMode: 'lambda' }, clock.now());
const statusOf = async (row: Export) => (await readExport(db, row.id)).status;
const feedLambda = () => planNext(db, { mode: 'lambda', inFlight: 10, slots: 10 }, clock.now());

describe('an export of a mode without a worker', () => {
  test('waits for the whole time, and then fails with a reason, once, everything given back', async () => {
    const organizationId = await createOrganization(db);
    const who = await createUser(db, organizationId, { tier: 'credits' });
    await db
      .transaction()
      .execute((tx) =>
        giveCredits(
          tx,
          { organizationId, userId: who.userId, correlationId: 'a' },
          { amount: 5, kind: 'grant' },
          clock.now(),
        ),
      );
    const row = await onLambda(who);
    expect(await creditBalance(db, who)).toBe(4);
    expect(await watchFor(timeoutSeconds - 60)).toBe(0);
    expect(await statusOf(row)).toBe('queued');
    expect(await watchFor(120)).toBe(1);
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'failed',
      error_code: 'render_mode_unserved',
      error_text: expect.stringMatching(/lambda for 3600 seconds.*Request it again/),
    });
    expect(await creditBalance(db, who)).toBe(5);
    expect(await eventNamesOf(db, organizationId)).toEqual(
      expect.arrayContaining(['processing_failed', 'job_refunded']),
    );
    expect(await watchFor(timeoutSeconds * 2)).toBe(0);
    const names = await eventNamesOf(db, organizationId);
    expect(names.filter((name) => name === 'processing_failed')).toHaveLength(1);
  });

  test('that was planned, or begun by a worker that is gone, ends as well; that worker can write no more', async () => {
    const who = await newUser();
    const worker = await beat(both);
    const [planned, begun] = [await onLambda(who), await onLambda(who)];
    await feedLambda();
    const fence = await start(db, await readExport(db, begun.id), clock.now());
    await removeWorker(db, worker);
    await watchFor(timeoutSeconds + 60);
    expect([await statusOf(planned), await statusOf(begun)]).toEqual(['failed', 'failed']);
    await expect(complete(db, fence)).rejects.toMatchObject({ code: 'render_lost' });
    const { epoch } = await readExport(db, planned.id);
    const job = { exportId: planned.id, epoch, workerId: newId() };
    expect(await db.transaction().execute((tx) => startExport(tx, job, clock.now()))).toEqual({
      type: 'stale',
    });
  });

  test('that its user cancels meanwhile ends as canceled', async () => {
    const who = await newUser();
    const row = await onLambda(who);
    const fence = await start(db, row, clock.now());
    await db.transaction().execute((tx) => requestCancel(tx, who.organizationId, row.id, clock.now()));
    expect(await statusOf(row)).toBe('started');
    await watchFor(timeoutSeconds + 60);
    expect(await statusOf(row)).toBe('canceled');
    expect(await eventNamesOf(db, who.organizationId)).not.toContain('processing_failed');
    await expect(complete(db, fence)).rejects.toMatchObject({ code: 'render_lost' });
  });

  test('waits for ever where that is configured', async () => {
    const row = await onLambda(await newUser());
    expect(await watchFor(timeoutSeconds * 3, { timeoutSeconds: 0 })).toBe(0);
    expect(await statusOf(row)).toBe('queued');
  });

  test('of which there are many, all end', async () => {
    const who = await newUser();
    for (const _ of times(7, () => 0)) await Promise.all(times(15, () => onLambda(who)));
    expect(await watchFor(timeoutSeconds + 60)).toBe(105);
    expect((await limitState(db, who, clock.now())).remaining).toBeNull();
    const { rows } = await sql<{ used: number }>`
      SELECT used FROM usage_day WHERE organization_id = ${who.organizationId}`.execute(db);
    expect(rows).toEqual([{ used: 0 }]);
  });
});

describe('what is left alone', () => {
  test('exports of the other mode, whose workers are there', async () => {
    const who = await newUser();
    const worker = await beat({ ...both, lambdaConcurrency: 0, renderModes: ['local'] });
    const [here, there] = [await accept(db, who, {}, clock.now()), await onLambda(who)];
    for (let passed = 0; passed <= timeoutSeconds + 60; passed += 10) {
      await beat({ ...both, renderModes: ['local'] }, worker);
      await look();
      clock.advance(10_000);
    }
    expect([await statusOf(here), await statusOf(there)]).toEqual(['queued', 'failed']);
  });

  test('those whose workers are only paused', async () => {
    const row = await onLambda(await newUser());
    const worker = await beat(both);
    for (let passed = 0; passed <= timeoutSeconds + 60; passed += 10) {
      await beat({ ...both, concurrency: 0, lambdaConcurrency: 0, paused: 'disk' }, worker);
      expect(await look()).toBe(0);
      clock.advance(10_000);
    }
    expect(await statusOf(row)).toBe('queued');
  });

  test('a line that was long, when its last worker restarts: the time begins with its absence', async () => {
    const row = await onLambda(await newUser());
    const worker = await beat(both);
    clock.advance(timeoutSeconds * 5_000);
    await beat(both, worker);
    await look();
    await removeWorker(db, worker);
    expect(await watchFor(timeoutSeconds - 60)).toBe(0);
    await beat(both);
    expect(await look()).toBe(0);
    expect(await statusOf(row)).toBe('queued');
  });

  test('whatever waited while the whole installation was down: nobody watched, and the time begins anew', async () => {
    const row = await onLambda(await newUser());
    await watchFor(timeoutSeconds - 600);
    clock.advance(timeoutSeconds * 100_000 + watchGapMs);
    expect(await watchFor(timeoutSeconds - 60)).toBe(0);
    expect(await statusOf(row)).toBe('queued');
    expect(await watchFor(120)).toBe(1);
  });

  test('one that was accepted only lately', async () => {
    const who = await newUser();
    const old = await onLambda(who);
    await watchFor(timeoutSeconds / 2);
    const young = await onLambda(who);
    await watchFor(timeoutSeconds / 2 + 60);
    expect([await statusOf(old), await statusOf(young)]).toEqual(['failed', 'queued']);
  });
});

describe('with RENDER_FALLBACK=local', () => {
  test('the workers take over, no attempt is lost, and an old job of Lambda is of no use', async () => {
    const who = await newUser();
    const worker = await beat(both);
    const [waiting, begun] = [await onLambda(who), await onLambda(who)];
    await feedLambda();
    const fence = await start(db, await readExport(db, begun.id), clock.now());
    await saveRemoteRender(db, fence, {
      renderId: 'abc',
      bucketName: 'b',
      functionName: 'f',
      region: 'us-east-1',
      startedAt: noon,
    });
    await removeWorker(db, worker);
    const before = await readExport(db, waiting.id);
    expect(await watchFor(timeoutSeconds + 60, { fallsBack: true })).toBe(2);
    for (const row of [waiting, begun]) {
      expect(await readExport(db, row.id)).toMatchObject({
        status: 'queued',
        render_mode: 'local',
        fed_at: null,
        error_code: null,
      });
    }
    const { attempt, hand_backs } = await readExport(db, begun.id);
    expect(attempt - hand_backs).toBe(0);
    const oldJob = { exportId: waiting.id, epoch: before.epoch, workerId: newId() };
    expect(await db.transaction().execute((tx) => startExport(tx, oldJob, clock.now()))).toEqual({
      type: 'stale',
    });
    await expect(complete(db, fence)).rejects.toMatchObject({ code: 'render_lost' });
    const fed = await planNext(db, { mode: 'local', inFlight: 10, slots: 10 }, clock.now());
    expect(fed?.map(({ id }) => id).toSorted()).toEqual([waiting.id, begun.id].toSorted());
    expect(await eventNamesOf(db, who.organizationId)).not.toContain('processing_failed');
  });

  test('what the workers should render, and there are none, has nowhere to go: it fails', async () => {
    const row = await accept(db, await newUser(), {}, clock.now());
    expect(await watchFor(timeoutSeconds + 60, { fallsBack: true })).toBe(1);
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'failed',
      error_code: 'render_mode_unserved',
    });
  });
});

describe('parts of something larger', () => {
  test('cells of a campaign fail one by one, and the campaign is closed once', async () => {
    const who = await newUser();
    const { batch, cells } = await planBatch(
      db,
      who,
      { variants: 4, sizes: squares(2), renderMode: 'lambda' },
      clock.now(),
    );
    await Promise.all([watchFor(timeoutSeconds + 60), look(), look()]);
    expect(await Promise.all(cells.map(statusOf))).toEqual(times(8, () => 'failed'));
    const run = await db
      .selectFrom('batch_run')
      .selectAll()
      .where('batch_id', '=', batch.id)
      .executeTakeFirstOrThrow();
    expect(run).toMatchObject({ status: 'failed', failed: 8, succeeded: 0 });
    const names = await eventNamesOf(db, who.organizationId);
    expect(names.filter((name) => name === 'batch_failed')).toHaveLength(1);
    expect(names.filter((name) => name === 'processing_failed')).toHaveLength(8);
  });

  test('a group that a worker left fails with all of its cells', async () => {
    const who = await newUser();
    const { cells } = await planBatch(db, who, { variants: 3, sizes: squares(1) }, clock.now());
    const fed = await planNext(db, { mode: 'local', inFlight: 10, slots: 10 }, clock.now());
    expect(new Set(fed?.map(({ groupId }) => groupId)).size).toBe(1);
    await watchFor(timeoutSeconds + 60);
    expect(await Promise.all(cells.map(statusOf))).toEqual(['failed', 'failed', 'failed']);
  });

  const cut = async (who: Metered) => {
    const row = await accept(db, who, { kind: 'video', format: 'mp4', compositionId: 'open' }, clock.now());
    const fence = await start(db, row, clock.now());
    const plan = {
      framesPerChunk: 300,
      frameRange: [0, 599] as [number, number],
      compositionFrames: 600,
      fps: 30,
      width: 100,
      height: 100,
    };
    await db.transaction().execute((tx) => cutExport(tx, fence, { count: 2, plan }, clock.now()));
    return row;
  };
  const begin = async () => {
    const fed = await planNext(db, { mode: 'local', inFlight: 10, slots: 10 }, clock.now());
    return Promise.all(
      (fed ?? []).map(async ({ id, epoch }) => {
        const job = { chunkId: id, epoch, workerId: newId() };
        const started = await db.transaction().execute((tx) => startChunk(tx, job, clock.now()));
        if (started.type !== 'started') throw new Error('not started');
        return started.fence;
      }),
    );
  };
  const file = { key: 'k', sizeInBytes: 1, sha256: 'ab' };
  const done = { result: { video: file, audio: null, silent: true }, renderTimeMs: 5 };

  test('a cut video fails with its chunks, whoever had begun them', async () => {
    const who = await newUser();
    const row = await cut(who);
    const [first, second] = await begin();
    if (!first || !second) throw new Error('there are two chunks');
    await db.transaction().execute((tx) => finishChunk(tx, first, done, clock.now()));
    await watchFor(timeoutSeconds + 60);
    expect(await statusOf(row)).toBe('failed');
    expect(await countRows(db, 'render_chunk', who.organizationId)).toBe(0);
    const late = db.transaction().execute((tx) => finishChunk(tx, second, done, clock.now()));
    await expect(late).rejects.toMatchObject({ code: 'render_lost' });
  });

  test('a video that waits for its join fails', async () => {
    const row = await cut(await newUser());
    for (const fence of await begin())
      await db.transaction().execute((tx) => finishChunk(tx, fence, done, clock.now()));
    expect(await readExport(db, row.id)).toMatchObject({ status: 'started', fed_at: null, chunks_done: 2 });
    await watchFor(timeoutSeconds + 60);
    expect(await statusOf(row)).toBe('failed');
  });
});

describe('a campaign that no worker has planned', () => {
  const funded = async (credits: number) => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId);
    const who = await createUser(db, organizationId, { tier: 'credits' });
    await db
      .transaction()
      .execute((tx) =>
        giveCredits(
          tx,
          { organizationId, userId: who.userId, correlationId: 'a' },
          { amount: credits, kind: 'grant' },
          clock.now(),
        ),
      );
    return who;
  };
  const onLambdaToo = { variants: 4, sizes: squares(2), renderMode: 'lambda' } as const;
  const runOf = (batchId: string) =>
    db.selectFrom('batch_run').selectAll().where('batch_id', '=', batchId).executeTakeFirstOrThrow();
  const usedOf = ({ organizationId }: Metered) =>
    db
      .selectFrom('usage_day')
      .select('used')
      .where('organization_id', '=', organizationId)
      .executeTakeFirstOrThrow();
  const projectOf = ({ organizationId }: Metered) =>
    db
      .selectFrom('project')
      .select('export_count')
      .where('organization_id', '=', organizationId)
      .executeTakeFirstOrThrow();
  const countOf = async ({ organizationId }: Metered, name: string) =>
    (await eventNamesOf(db, organizationId)).filter((one) => one === name).length;

  test('waits for the whole time, and then fails once, cell by cell, everything given back', async () => {
    const who = await funded(10);
    const batch = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await creditBalance(db, who)).toBe(2);
    expect(await watchFor(timeoutSeconds - 60)).toBe(0);
    expect(await runOf(batch.id)).toMatchObject({ planned: 0, closed_at: null });
    await Promise.all([watchFor(120), look(), look()]);
    expect(await runOf(batch.id)).toMatchObject({ status: 'failed', planned: 8, failed: 8, succeeded: 0 });
    expect(await creditBalance(db, who)).toBe(10);
    expect(await usedOf(who)).toEqual({ used: 0 });
    expect(await projectOf(who)).toEqual({ export_count: 0 });
    const cells = await cellsOf(db, batch.id);
    expect(cells.map((cell) => [cell.status, cell.error_code])).toEqual(
      times(8, () => ['failed', 'render_mode_unserved']),
    );
    for (const [name, count] of Object.entries({
      job_created: 8,
      processing_failed: 8,
      job_refunded: 8,
      batch_failed: 1,
      batch_completed: 0,
    })) {
      expect([name, await countOf(who, name)]).toEqual([name, count]);
    }
    expect(await watchFor(timeoutSeconds * 2)).toBe(0);
    expect(await countOf(who, 'batch_failed')).toBe(1);
  });

  test('of more cells than are planned at once ends as a whole, and all of it can be retried', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, { ...onLambdaToo, variants: 251 }, clock.now());
    expect(await watchFor(timeoutSeconds + 60)).toBe(502);
    expect(await runOf(batch.id)).toMatchObject({ status: 'failed', failed: 502 });
    const retry = db.transaction().execute((tx) => prepareRetry(tx, batch));
    expect(await retry).toEqual({ run: 2, cells: 502 });
  });

  test('with RENDER_FALLBACK=local is rendered by the workers, in its whole', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await watchFor(timeoutSeconds + 60, { fallsBack: true })).toBe(8);
    const cells = await cellsOf(db, batch.id);
    expect(cells.map((cell) => [cell.status, cell.render_mode])).toEqual(times(8, () => ['queued', 'local']));
    const fed = await planNext(db, { mode: 'local', inFlight: 100, slots: 100 }, clock.now());
    expect(fed).toHaveLength(8);
    for (const cell of await cellsOf(db, batch.id)) await complete(db, await start(db, cell, clock.now()));
    expect(await runOf(batch.id)).toMatchObject({ status: 'completed', succeeded: 8 });
    expect(await countOf(who, 'batch_completed')).toBe(1);
    expect(await countOf(who, 'processing_failed')).toBe(0);
  });

  test('and that was canceled stays what it is', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, onLambdaToo, clock.now());
    await db.transaction().execute((tx) => requestBatchCancel(tx, batch, clock.now()));
    expect(await watchFor(timeoutSeconds + 60)).toBe(0);
    expect(await runOf(batch.id)).toMatchObject({ status: 'canceled', canceled: 8 });
    expect(await countOf(who, 'batch_cancelled')).toBe(1);
  });

  test('is left alone while its mode has a worker, or it is young, or it may wait for ever', async () => {
    const who = await newUser();
    const old = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await watchFor(timeoutSeconds * 2, { timeoutSeconds: 0 })).toBe(0);
    const worker = await beat(both);
    expect(await watchFor(timeoutSeconds * 2)).toBe(0);
    await removeWorker(db, worker);
    expect(await watchFor(timeoutSeconds - 60)).toBe(0);
    const young = await acceptBatch(db, who, onLambdaToo, clock.now());
    expect(await watchFor(120)).toBe(8);
    expect([(await runOf(old.id)).planned, (await runOf(young.id)).planned]).toEqual([8, 0]);
  });

  test('goes on with whoever has planned a part of it: each cell is an export once', async () => {
    const who = await newUser();
    const batch = await acceptBatch(db, who, { ...onLambdaToo, variants: 110 }, clock.now());
    const [fed] = await feedDueRuns(db, clock.now());
    if (!fed) throw new Error('the run is due');
    const plan = await readNextCells(db, fed, 200, 'renderer-1');
    if (!plan) throw new Error('there is something to plan');
    await db.transaction().execute((tx) => planCells(tx, fed, plan, new Map(), clock.now()));
    await watchFor(timeoutSeconds - 60);
    await Promise.all([watchFor(120), planRun(db, fed, clock.now())]);
    expect((await cellsOf(db, batch.id)).length).toBe(220);
    await watchFor(timeoutSeconds + 120);
    expect(await runOf(batch.id)).toMatchObject({ status: 'failed', failed: 220 });
    expect(await countOf(who, 'job_created')).toBe(220);
    expect(await countOf(who, 'batch_failed')).toBe(1);
  });

  test('and that cannot be planned holds up no other', async () => {
    const who = await newUser();
    const bad = await acceptBatch(db, who, { ...onLambdaToo, compositionId: 'hero-ad' }, clock.now());
    await db.updateTable('batch').set({ version: 'ffffffffffffffff' }).where('id', '=', bad.id).execute();
    const good = await acceptBatch(db, who, onLambdaToo, clock.now());
    const row = await onLambda(who);
    expect(await watchFor(timeoutSeconds + 60)).toBe(9);
    expect(await statusOf(row)).toBe('failed');
    expect([(await runOf(good.id)).status, (await runOf(bad.id)).planned]).toEqual(['failed', 0]);
  });
});

describe('turns and bounds', () => {
  const overdueLambda = { mode: 'lambda', before: new Date(noon), perLine: 10 } as const;
  const idsOf = (fences: readonly Fence[]) => fences.map(({ exportId }) => exportId);
  /** All that is accepted by now is overdue, and nothing has ended yet. */
  const becomeOverdue = async () => {
    await watchFor(timeoutSeconds - lookEveryMs / 1000);
    clock.advance(lookEveryMs);
  };
  const plannedOf = async (batchId: string) => {
    const { planned } = await db
      .selectFrom('batch_run')
      .select('planned')
      .where('batch_id', '=', batchId)
      .executeTakeFirstOrThrow();
    return planned;
  };
  const campaign = (who: Metered, variants: number) =>
    acceptBatch(db, who, { variants, sizes: squares(1), renderMode: 'lambda' }, clock.now());

  test('organizations take turns, each in the order of its line, also with what is planned already', async () => {
    const [many, few] = [await newUser(), await newUser()];
    const acceptAt = (who: Metered, second: number) =>
      accept(db, who, { renderMode: 'lambda' }, new Date(Date.parse(noon) - (60 - second) * 1000));
    const [a, b, c, d] = [
      await acceptAt(many, 1),
      await acceptAt(many, 2),
      await acceptAt(many, 3),
      await acceptAt(many, 4),
    ];
    const [x, y] = [await acceptAt(few, 5), await acceptAt(few, 6)];
    await db
      .updateTable('export')
      .set({ fed_at: new Date(noon) })
      .where('id', 'in', [b.id, x.id])
      .execute();
    const inTurns = [a.id, x.id, b.id, y.id, c.id, d.id];
    expect(idsOf(await findUnserved(db, { ...overdueLambda, limit: 10 }))).toEqual(inTurns);
    expect(idsOf(await findUnserved(db, { ...overdueLambda, limit: 3 }))).toEqual(inTurns.slice(0, 3));
  });

  test('of one line a round ends so many, and the next one goes on', async () => {
    const who = await newUser();
    for (const _ of times(7, () => 0)) await Promise.all(times(15, () => onLambda(who)));
    await becomeOverdue();
    expect(await round()).toEqual({ settled: 100, isMore: true });
    expect(await round()).toEqual({ settled: 5, isMore: true });
    expect(await round()).toEqual({ settled: 0, isMore: false });
  });

  test('a large campaign is made exports part by part, and what waits ends before the first of them', async () => {
    const batch = await campaign(await newUser(), 120);
    const row = await onLambda(await newUser());
    await becomeOverdue();
    expect((await round()).settled).toBe(1);
    expect([await statusOf(row), await plannedOf(batch.id)]).toEqual(['failed', 100]);
    expect((await round()).settled).toBe(100);
    expect(await plannedOf(batch.id)).toBe(120);
  });

  test('whoever has one campaign waits behind no more than one of each of the others', async () => {
    const first = await Promise.all(times(5, () => newUser()));
    const one = await newUser();
    const older = [];
    for (const who of [...first, ...first, ...first]) older.push(await campaign(who, 1));
    const younger = await campaign(one, 1);
    await becomeOverdue();
    await round();
    await round();
    expect(await plannedOf(younger.id)).toBe(1);
    const planned = await Promise.all(older.map(({ id }) => plannedOf(id)));
    expect(planned.filter((count) => count > 0)).toHaveLength(9);
  });

  test('an export that cannot be ended holds up none of the others', async () => {
    const [bad, good] = [await onLambda(await newUser()), await onLambda(await newUser())];
    await sql`
      CREATE FUNCTION refuse_end() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no end'; END $$;
      CREATE TRIGGER refuse_end BEFORE UPDATE OF status ON export FOR EACH ROW
        WHEN (OLD.id = ${sql.lit(bad.id)}::uuid) EXECUTE FUNCTION refuse_end()`.execute(db);
    try {
      expect(await watchFor(timeoutSeconds + 60)).toBe(1);
      expect([await statusOf(bad), await statusOf(good)]).toEqual(['queued', 'failed']);
    } finally {
      await sql`DROP TRIGGER refuse_end ON export; DROP FUNCTION refuse_end`.execute(db);
    }
  });

  test('a round that lasts long is no time in which nobody watched', async () => {
    const who = await newUser();
    for (const _ of times(3, () => 0)) await Promise.all(times(15, () => onLambda(who)));
    await becomeOverdue();
    const since = (await unservedModes(db, clock.now())).find(({ renderMode }) => renderMode === 'lambda');
    /** Each reading takes three seconds, and each export is a reading. */
    const slow: Clock = {
      now: () => {
        clock.advance(3_000);
        return clock.now();
      },
    };
    const begun = clock.now().getTime();
    expect((await round({ clock: slow })).settled).toBe(45);
    expect(clock.now().getTime() - begun).toBeGreaterThan(watchGapMs);
    expect(await watchModes(db, clock.now())).toContainEqual(since);
  });
});

describe('when a worker comes back just then', () => {
  const given = { mode: 'lambda', text: 'nobody', fallsBack: false } as const;
  const end = (row: Pick<Export, 'id' | 'epoch' | 'attempt'>) =>
    db
      .transaction()
      .execute((tx) =>
        endUnserved(tx, { exportId: row.id, epoch: row.epoch, attempt: row.attempt }, given, clock.now()),
      );

  test('an export that it has begun is its own', async () => {
    const row = await onLambda(await newUser());
    const fence = await start(db, row, clock.now());
    await expect(end(row)).rejects.toMatchObject({ code: 'render_lost' });
    await complete(db, fence);
    expect(await statusOf(row)).toBe('completed');
  });

  test('one that it will begin is left to it', async () => {
    const row = await onLambda(await newUser());
    await beat(both);
    expect(await end(row)).toBe(false);
    expect(await statusOf(row)).toBe('queued');
  });

  test.each(times(5, (round) => round))('each of many has one end, round %i', async () => {
    const who = await newUser();
    const rows = await Promise.all(times(20, () => onLambda(who)));
    await look();
    // As `watchFor`, but for the last look, which is the race.
    for (let passed = 0; passed < timeoutSeconds; passed += 60) {
      clock.advance(60_000);
      if (passed + 60 < timeoutSeconds) await look();
    }
    const warned = vi.spyOn(silentLog, 'warn');
    const workerId = newId();
    const render = async (row: Export) => {
      const job = { exportId: row.id, epoch: row.epoch, workerId };
      const started = await db.transaction().execute((tx) => startExport(tx, job, clock.now()));
      if (started.type === 'started') await complete(db, started.fence, {}, clock.now());
    };
    const { codes } = await outcomes<unknown>([
      look(),
      look(),
      ...rows.map(render),
      // Late, so that some are ended and some rendered.
      beat(both, workerId),
    ]);
    // A worker learns that it was late, and nothing else goes wrong.
    expect(codes.filter((code) => code !== 'render_lost')).toEqual([]);
    expect(warned.mock.calls.filter(([facts]) => facts instanceof Object && 'err' in facts)).toEqual([]);
    warned.mockRestore();
    const names = (await eventsOf(db, who.organizationId)).map((event) => event.event_name);
    const statuses = await Promise.all(rows.map(statusOf));
    expect(names.filter((name) => name === 'processing_failed')).toHaveLength(
      statuses.filter((status) => status === 'failed').length,
    );
    const { used } = await db
      .selectFrom('usage_day')
      .select('used')
      .where('organization_id', '=', who.organizationId)
      .executeTakeFirstOrThrow();
    expect(used).toBe(statuses.filter((status) => status !== 'failed').length);
  });
});
