/** One video cut for several workers, which are killed while they render it. */
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { getExport } from '../../src/domain/exports/export.ts';
import type { Checkpoint } from '../../src/features/renders/render-deps.ts';
import { endWorker, eventually, openScene, organizationId, type Scene } from '../support/scene.ts';

const seconds = 10;
const fps = 30;

let scene: Scene;
beforeAll(async () => {
  scene = await openScene({ CHUNK_AFTER_SECONDS: '5' });
  await pretendSlowness();
}, 120_000);
afterAll(() => scene?.close());

const request = (headline: string) => ({
  compositionId: 'promo-video',
  kind: 'video',
  format: 'mp4',
  width: 320,
  height: 180,
  props: {
    brandName: 'Mill',
    tagline: 'Cut',
    palette: 'signal',
    sound: true,
    durationInSeconds: seconds,
    scenes: [{ headline }],
  },
});

/**
 * A minute's work for a minute's footage is not cut at this size; this one is said to have taken ten times as long, and to be so long
 * that what the tests render beside it changes nothing.
 */
const slowSeconds = 60 * seconds;
const pretendSlowness = async (): Promise<void> => {
  const { db } = scene.resources;
  const id = await scene.accept(request('slow'));
  await db
    .updateTable('export')
    .set({
      status: 'completed',
      completed_at: new Date(),
      render_ms: slowSeconds * fps * 250,
      duration: slowSeconds,
    })
    .set({ width: 320, height: 180, fed_at: new Date() })
    .where('id', '=', id)
    .execute();
};

const rowOf = (id: string) => getExport(scene.resources.db, organizationId, id);

/** As a player counts them, with the ffprobe that Remotion brings along. */
const probe = async (path: string) => {
  const command = ['remotion', 'ffprobe', '-v', 'error', '-count_packets', '-show_entries'];
  const { stdout } = await promisify(execFile)(
    'npx',
    [...command, 'stream=codec_type,nb_read_packets', '-of', 'json', path],
    { cwd: fileURLToPath(new URL('../..', import.meta.url)) },
  );
  const { streams } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    streams: { codec_type: string; nb_read_packets: string }[];
  };
  return Object.fromEntries(streams.map((stream) => [stream.codec_type, Number(stream.nb_read_packets)]));
};

const expectWhole = async (id: string) => {
  const row = await eventually(
    () => rowOf(id),
    ({ status }) => status !== 'started' && status !== 'queued',
    { withinMs: 120_000, what: `the end of ${id}` },
  );
  expect(row).toMatchObject({ status: 'completed', chunks: 2, duration: seconds });
  const names = await scene.eventNamesOf(id);
  for (const name of ['processing_started', 'processing_completed', 'video_rendered']) {
    expect(names.filter((one) => one === name)).toHaveLength(1);
  }
  const [file = ''] = await eventually(
    () => scene.filesOf(id),
    (files) => files.length === 1,
    { what: 'the removal of chunks' },
  );
  const found = await probe(join(scene.resources.config.storageDirectory, file));
  expect(found.video).toBe(seconds * fps);
  expect(found.audio).toBeGreaterThan(0);
  expect(await scene.resources.db.selectFrom('render_chunk').selectAll().execute()).toEqual([]);
};

test.each<Checkpoint>(['chunk_claimed', 'chunk_stored'])(
  'of two workers one is killed at "%s": the lost chunk is rendered again, and the video is whole',
  async (point) => {
    const workers: ChildProcess[] = [await scene.startWorker()];
    const victim = await scene.startWorker({ KILL_AT: point });
    const id = await scene.accept(request(point));
    if (victim.signalCode === null) await once(victim, 'exit');
    expect(victim.signalCode).toBe('SIGKILL');
    workers.push(await scene.startWorker());
    await expectWhole(id);
    await Promise.all(workers.map(endWorker));
    await scene.nothingRuns();
  },
  240_000,
);

test('a cancel in mid-render ends it on both workers, and leaves nothing', async () => {
  const workers = [await scene.startWorker(), await scene.startWorker()];
  const id = await scene.accept(request('canceled'));
  await eventually(
    async () => (await rowOf(id)).progress?.renderedFrames ?? 0,
    (frames) => frames > 0,
    { what: 'the first frames of a chunk', withinMs: 60_000 },
  );
  const answer = await scene.call('DELETE', `/api/render/${id}`);
  expect(answer.ok).toBe(true);
  expect((await rowOf(id)).status).toBe('canceled');
  await eventually(
    () => scene.filesOf(id),
    (files) => files.length === 0,
    { what: 'the removal of chunks' },
  );
  const next = await scene.accept({
    ...request('after'),
    props: { ...request('after').props, durationInSeconds: 3 },
  });
  await eventually(
    async () => (await rowOf(next)).status,
    (status) => status === 'completed',
    {
      what: 'the next video',
      withinMs: 60_000,
    },
  );
  await Promise.all(workers.map(endWorker));
  await scene.nothingRuns();
}, 180_000);
