import { readdir } from 'node:fs/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { RendermillError } from '../../../../src/core/errors.ts';
import { requestCancel } from '../../../../src/domain/exports/cancel-export.ts';
import { chunksOf } from '../../../../src/domain/exports/chunks/chunk.ts';
import { plannedChunks, replanChunks } from '../../../../src/domain/exports/chunks/feed-chunks.ts';
import { plannedExports, replan } from '../../../../src/domain/exports/feed-exports.ts';
import { eventNamesOf, eventsOf, readExport } from '../../../support/factories.ts';
import { closeScene, db, setUp, untilAborted, videoFrames } from './chunk-scene.ts';

afterAll(closeScene);

const leftIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);

describe('a long video, while slots are idle', () => {
  test('is cut, rendered in pieces by whoever takes them, joined in order, and recorded as one render', async () => {
    const { cut, run, feed, renderer, organizationId, filesOf, deps } = await setUp();
    const { row, jobs } = await cut();
    expect(jobs).toHaveLength(4);
    expect(new Set(jobs.map((job) => job.kind))).toEqual(new Set(['chunk']));
    expect(await readExport(db, row.id)).toMatchObject({ status: 'started', chunks: 4, chunks_done: 0 });
    for (const job of jobs.toReversed()) await run(job);
    const [joining, ...more] = await feed();
    expect(joining).toMatchObject({ kind: 'export', id: row.id });
    expect(more).toEqual([]);
    if (joining) await run(joining);
    expect(renderer.joins).toHaveLength(1);
    expect(renderer.joins[0]).toMatchObject({
      framesPerChunk: 450,
      compositionFrames: videoFrames,
      video: { frameRange: [0, 1799], fps: 30, width: 1920, height: 1080 },
    });
    expect(renderer.joins[0]?.audioPaths).toHaveLength(4);
    const done = await readExport(db, row.id);
    expect(done).toMatchObject({ status: 'completed', render_ms: 407, content_hash: null });
    const text: Buffer[] = [];
    const files = await filesOf(row);
    expect(files).toHaveLength(1);
    for await (const part of await deps.storage.read(`artifacts/${organizationId}/${row.id}/${files[0]}`))
      text.push(part);
    expect(Buffer.concat(text).toString()).toBe('0-449;450-899;900-1349;1350-1799;');
    expect(await eventNamesOf(db, organizationId)).toEqual([
      'job_created',
      'processing_started',
      'processing_completed',
      'video_rendered',
      'first_render_completed',
    ]);
    const completed = (await eventsOf(db, organizationId)).find(
      (event) => event.event_name === 'processing_completed',
    );
    expect(completed?.properties).toMatchObject({ attempt: 1, retry_count: 0 });
    expect(await chunksOf(db, row.id)).toEqual([]);
    expect(await leftIn(deps.outputDirectory)).toEqual([]);
  });

  test('without sound is joined without a sound track', async () => {
    const { cut, run, feed, renderer } = await setUp({ silent: true });
    for (const job of (await cut()).jobs) await run(job);
    for (const job of await feed()) await run(job);
    expect(renderer.joins[0]?.audioPaths).toEqual([]);
  });

  test.each([
    ['short', 4, { planned: { width: 1920, height: 1080, durationSeconds: 19 } }, {}],
    ['shorter than it was registered', 4, {}, { frames: 300 }],
    ['a gif', 4, { format: 'gif' as const }, {}],
    ['the only worker', 1, {}, {}],
  ])('is rendered whole where it is %s', async (_why, workers, order, behaviour) => {
    const { request, run, feed, renderer } = await setUp(behaviour, workers);
    const row = await request(order);
    for (const job of await feed()) await run(job);
    expect(renderer.wholes).toHaveLength(1);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'completed', chunks: null });
  });

  test('is rendered whole where all slots have work already', async () => {
    const { request, run, feed, renderer } = await setUp();
    const rows = await Promise.all([request(), request(), request(), request()]);
    const [first] = await feed();
    if (first) await run(first);
    expect(renderer.wholes).toHaveLength(1);
    expect(rows).toHaveLength(4);
  });
});

describe('progress', () => {
  test('is the sum of the chunks, and never falls though a chunk begins again', async () => {
    const { cut, run, clock, feed } = await setUp({
      chunk: async (spec) => {
        if (spec.frames[0] > 0) throw new RendermillError('browser_lost');
      },
    });
    const { row, jobs } = await cut();
    const [first, second] = jobs;
    if (!first || !second) throw new Error('two chunks');
    await run(first);
    clock.advance(2_000);
    await expect(run(second)).rejects.toThrow();
    const { saveChunkProgress } = await import('../../../../src/domain/exports/chunks/chunk-progress.ts');
    const chunks = await chunksOf(db, row.id);
    expect(chunks.map((chunk) => chunk.rendered_frames)).toEqual([450, 0, 0, 0]);
    expect(await feed()).toEqual([]);
    await expect(run(second)).rejects.toThrow();
    const [, again] = await chunksOf(db, row.id);
    if (!again) throw new Error('a second chunk');
    await db.updateTable('render_chunk').set({ status: 'started' }).where('id', '=', again.id).execute();
    const fence = { exportId: row.id, chunkId: again.id, epoch: again.epoch, attempt: again.attempt };
    expect(await saveChunkProgress(db, fence, 450, clock.now())).toBe('held');
    expect((await readExport(db, row.id)).progress).toMatchObject({
      renderedFrames: 900,
      totalFrames: 1800,
      percent: 49,
    });
    clock.advance(2_000);
    expect(await saveChunkProgress(db, fence, 3, clock.now())).toBe('held');
    expect((await readExport(db, row.id)).progress).toMatchObject({ renderedFrames: 900, percent: 49 });
    expect(await saveChunkProgress(db, { ...fence, attempt: 99 }, 9, clock.now())).toBe('lost');
  });
});

describe('a chunk', () => {
  test('that was lost with its worker is rendered again alone, and the late one changes nothing', async () => {
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let starts = 0;
    const scene = await setUp({ chunk: async () => void (++starts === 1 && (await held)) });
    const { row, jobs } = await scene.cut();
    const [first, ...others] = jobs;
    if (!first) throw new Error('a chunk');
    const late = scene.run(first);
    await expect.poll(() => starts).toBe(1);
    await scene.run(first);
    release();
    await late;
    for (const job of others) await scene.run(job);
    expect(starts).toBe(5);
    for (const job of await scene.feed()) await scene.run(job);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'completed' });
    expect(await scene.filesOf(row)).toHaveLength(1);
  });

  test('that fails by the composition fails the video at once, gives everything back and ends the others', async () => {
    const { cut, run, organizationId, filesOf } = await setUp({
      chunk: async ({ frames }, options) => {
        if (frames[0] === 450)
          throw new RendermillError('composition_error', { message: 'frame 500 is broken' });
        if (frames[0] === 900) await untilAborted(options);
      },
    });
    const { row, jobs } = await cut();
    const [first, second, third] = jobs;
    if (!first || !second || !third) throw new Error('three chunks');
    await run(first);
    const ending = run(third);
    await expect(run(second)).rejects.toThrow('frame 500 is broken');
    await ending;
    expect(await readExport(db, row.id)).toMatchObject({ status: 'failed', error_code: 'composition_error' });
    expect(await chunksOf(db, row.id)).toEqual([]);
    expect(await filesOf(row)).toEqual([]);
    const failed = (await eventsOf(db, organizationId)).find(
      (event) => event.event_name === 'processing_failed',
    );
    expect(failed?.properties).toMatchObject({ attempt: 1 });
  });

  test('whose browser is lost again and again fails the video after its last attempt', async () => {
    const { cut, run } = await setUp({ chunk: () => Promise.reject(new RendermillError('browser_lost')) });
    const { row, jobs } = await cut();
    const [first] = jobs;
    if (!first) throw new Error('a chunk');
    for (let attempt = 1; attempt <= 2; attempt += 1) {
      await expect(run(first)).rejects.toThrow();
      expect(await readExport(db, row.id)).toMatchObject({ status: 'started', error_code: 'browser_lost' });
    }
    await expect(run(first)).rejects.toThrow();
    expect(await readExport(db, row.id)).toMatchObject({ status: 'failed', error_code: 'browser_lost' });
  });

  test('of a worker that stops goes back into the line, and costs no attempt', async () => {
    const { cut, run, feed } = await setUp({ chunk: (_spec, options) => untilAborted(options) });
    const { jobs } = await cut();
    const [first] = jobs;
    if (!first) throw new Error('a chunk');
    const controller = new AbortController();
    const running = run(first, controller.signal);
    controller.abort();
    await running;
    const again = await feed();
    expect(again).toMatchObject([{ kind: 'chunk', id: first.id, epoch: first.epoch + 1 }]);
  });
});

describe('a queue that lost everything', () => {
  test('costs only time: chunks that are done stay done, the others and the join are planned again', async () => {
    const { cut, run, feed, clock } = await setUp();
    const { row, jobs } = await cut();
    const [first, ...others] = jobs;
    if (!first) throw new Error('a chunk');
    await run(first);
    clock.advance(10_000);
    const aged = { ageMs: 5_000, limit: 100 };
    expect(await plannedExports(db, { ...aged, mode: 'local' }, clock.now())).toEqual([]);
    const lost = await plannedChunks(db, aged, clock.now());
    expect(lost.map((one) => one.id).toSorted()).toEqual(others.map((one) => one.id).toSorted());
    expect(await replanChunks(db, lost)).toBe(3);
    const planned = await feed();
    expect(planned.map((job) => job.epoch)).toEqual([2, 2, 2]);
    // Of the older planning: there is nothing to do.
    for (const job of others) await run(job);
    expect((await readExport(db, row.id)).chunks_done).toBe(1);
    for (const job of planned) await run(job);
    const [join] = await feed();
    clock.advance(10_000);
    const lostJoin = await plannedExports(db, { ...aged, mode: 'local' }, clock.now());
    expect(lostJoin).toMatchObject([{ id: row.id }]);
    expect(await replan(db, lostJoin, clock.now())).toBe(1);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'started', fed_at: null });
    const [again] = await feed();
    if (join) await run(join);
    expect((await readExport(db, row.id)).status).toBe('started');
    if (again) await run(again);
    expect((await readExport(db, row.id)).status).toBe('completed');
  });
});

describe('a video whose job the queue lost while it was measured', () => {
  test('is not cut by the one that lost it, but planned anew, and comes to its end', async () => {
    let looks = 0;
    const aged = { mode: 'local' as const, ageMs: 5_000, limit: 9 };
    const scene = await setUp({
      measure: async () => {
        looks += 1;
        if (looks > 1) return;
        scene.clock.advance(6_000);
        await replan(db, await plannedExports(db, aged, scene.clock.now()), scene.clock.now());
      },
    });
    const { clock, feed, run } = scene;
    const row = await scene.request();
    for (const job of await feed()) await run(job);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'queued', chunks: null, fed_at: null });
    for (let round = 0; round < 4; round += 1) {
      clock.advance(100);
      for (const job of await feed()) await run(job);
    }
    expect(await readExport(db, row.id)).toMatchObject({ status: 'completed', chunks: 4 });
  });
});

describe('the join', () => {
  test('goes on with the progress of the chunks, and ends with all frames', async () => {
    const { cut, run, feed } = await setUp();
    const { row, jobs } = await cut();
    for (const job of jobs) await run(job);
    for (const job of await feed()) await run(job);
    expect((await readExport(db, row.id)).progress).toMatchObject({
      percent: 100,
      renderedFrames: 1800,
      totalFrames: 1800,
    });
  });

  test('has chunks whose files are gone, or cut short, rendered again, and only those', async () => {
    const { cut, run, feed, storage, renderer } = await setUp();
    const { row, jobs } = await cut();
    for (const job of jobs) await run(job);
    const chunks = await chunksOf(db, row.id);
    await storage.delete(chunks[2]?.result?.video.key ?? '');
    for (const job of await feed()) await run(job);
    expect(renderer.joins).toEqual([]);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'started', chunks_done: 3 });
    const again = await feed();
    expect(again).toMatchObject([{ kind: 'chunk', id: chunks[2]?.id }]);
    for (const job of again) await run(job);
    for (const job of await feed()) await run(job);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'completed' });
  });

  test('that fails is tried again, without rendering a chunk anew', async () => {
    let joins = 0;
    const { cut, run, feed } = await setUp({
      join: async () => {
        joins += 1;
        if (joins === 1) throw new RendermillError('render_failed');
      },
    });
    const { row, jobs } = await cut();
    for (const job of jobs) await run(job);
    const [join] = await feed();
    if (!join) throw new Error('a join');
    await expect(run(join)).rejects.toThrow();
    expect(await readExport(db, row.id)).toMatchObject({ status: 'started', chunks_done: 4 });
    await run(join);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'completed' });
  });
});

describe('a cancel', () => {
  test('ends a cut video at once, and whoever renders a piece of it stops', async () => {
    const { cut, run, organizationId, filesOf } = await setUp({
      chunk: (_spec, options) => untilAborted(options),
    });
    const { row, jobs } = await cut();
    const running = jobs.map((job) => run(job));
    await expect
      .poll(async () => (await chunksOf(db, row.id)).filter((chunk) => chunk.status === 'started').length)
      .toBe(4);
    const canceled = await db
      .transaction()
      .execute((tx) => requestCancel(tx, organizationId, row.id, new Date()));
    expect(canceled.status).toBe('canceled');
    await Promise.all(running);
    expect(await chunksOf(db, row.id)).toEqual([]);
    expect(await filesOf(row)).toEqual([]);
    expect(await eventNamesOf(db, organizationId)).toEqual([
      'job_created',
      'processing_started',
      'job_canceled',
    ]);
  });

  test('that comes while nobody renders it leaves nothing to take', async () => {
    const { cut, run, organizationId } = await setUp();
    const { row, jobs } = await cut();
    await db.transaction().execute((tx) => requestCancel(tx, organizationId, row.id, new Date()));
    for (const job of jobs) await run(job);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'canceled' });
  });
});
