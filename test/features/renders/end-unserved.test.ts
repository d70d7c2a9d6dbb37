/** Exports of a mode that no live worker serves: when they end, how, and that each has one end. */
import { sql } from 'kysely';
import { describe, expect, test, vi } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { creditBalance } from '../../../src/domain/credits/ledger.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import { cutExport } from '../../../src/domain/exports/chunks/cut-export.ts';
import { finishChunk } from '../../../src/domain/exports/chunks/finish-chunk.ts';
import { startChunk } from '../../../src/domain/exports/chunks/start-chunk.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import { limitState, type Metered } from '../../../src/domain/exports/limits.ts';
import { saveRemoteRender } from '../../../src/domain/exports/remote-render.ts';
import { startExport } from '../../../src/domain/exports/start-export.ts';
import { endUnserved, watchGapMs } from '../../../src/domain/exports/unserved.ts';
import { removeWorker } from '../../../src/domain/exports/workers.ts';
import { planBatch, squares } from '../../support/batches.ts';
import {
  accept,
  complete,
  countRows,
  eventNamesOf,
  eventsOf,
  noon,
  outcomes,
  readExport,
  silentLog,
  start,
  times,
} from '../../support/factories.ts';
import { openUnservedScene } from './unserved-scene.ts';

const {
  db,
  clock,
  timeoutSeconds,
  funded,
  look,
  watchFor,
  both,
  beat,
  newUser,
  onLambda,
  statusOf,
  feedLambda,
} = await openUnservedScene();

describe('an export of a mode without a worker', () => {
  test('waits for the whole time, and then fails with a reason, once, everything given back', async () => {
    const who = await funded(5);
    const { organizationId } = who;
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
