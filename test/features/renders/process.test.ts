import { access, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { artifactPrefix } from '../../../src/domain/artifacts/artifact-keys.ts';
import { requestCancel } from '../../../src/domain/exports/cancel-export.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import { maxFailedAttempts } from '../../../src/features/renders/attempts.ts';
import { createRenderProcessor } from '../../../src/features/renders/process.ts';
import { type ActiveJob, GiveUpError } from '../../../src/platform/queue/contract.ts';
import type { Renderer, RenderOptions, RenderSpec } from '../../../src/platform/renderer/contract.ts';
import {
  accept,
  anOrder,
  createUser,
  eventNamesOf,
  noon,
  readExport,
  start,
} from '../../support/factories.ts';
import { openWorkerScene } from './worker-scene.ts';

const { db, directory, employ } = await openWorkerScene();

type Render = (spec: RenderSpec, options: RenderOptions) => Promise<void>;
const result = { width: 100, height: 50, durationSeconds: null, renderTimeMs: 12, cost: null };

/** The port with a picture of ours; what a test does before the file is there stands for the render. */
const rendererThat = (render: Render, orders: RenderSpec[] = []): Renderer => ({
  mode: 'local',
  version: 'test',
  renderStills: () => Promise.reject(new Error('nobody asked for many')),
  render: async (spec, options = {}) => {
    orders.push(spec);
    await writeFile(spec.outputPath, `picture ${orders.length}`);
    await render(spec, options);
    return result;
  },
  close: async () => undefined,
});

const untilAborted = ({ signal }: RenderOptions): Promise<never> =>
  new Promise((_resolve, reject) => {
    const refuse = () => reject(new RendermillError('render_canceled'));
    if (signal?.aborted) refuse();
    signal?.addEventListener('abort', refuse, { once: true });
  });

const setUp = async (render: Render = async () => undefined) => {
  const orders: RenderSpec[] = [];
  const { deps, who, organizationId, leftovers } = await employ(rendererThat(render, orders));
  const filesOf = async (row: Export) => {
    const keys: string[] = [];
    for await (const { key } of deps.storage.list(artifactPrefix(organizationId, row.id)))
      keys.push(key.split('/').at(-1) ?? '');
    return keys;
  };
  return { deps, who, organizationId, orders, filesOf, leftovers };
};

const jobOf = (row: Export, signal: AbortSignal = new AbortController().signal): ActiveJob => ({
  id: `render-${row.id}-${row.epoch}`,
  name: 'render',
  data: { exportId: row.id, epoch: row.epoch },
  attemptsMade: 0,
  attemptsAllowed: 10,
  signal,
});

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );
const end = ['processing_completed', 'video_rendered', 'first_render_completed'];

describe('a job', () => {
  test('renders what was asked for, keeps the file, records it, and leaves nothing on this machine', async () => {
    const { deps, who, organizationId, orders, filesOf, leftovers } = await setUp();
    const request = { props: { title: 'Sale' }, width: 540, scale: 2, quality: 80, frame: -1 };
    const row = await accept(db, who, anOrder({ format: 'jpeg', request }));
    await createRenderProcessor(deps)(jobOf(row));
    expect(orders).toMatchObject([
      {
        organizationId,
        bundlePath: `/bundles/${row.version}`,
        compositionId: 'hero-ad',
        inputProps: { title: 'Sale' },
        width: 540,
        scale: 2,
        quality: 80,
        output: { kind: 'still', format: 'jpeg', frame: -1 },
        limits: { maxDurationSeconds: null, maxRenderMs: 1000 },
      },
    ]);
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'completed',
      width: 100,
      height: 50,
      attempt: 1,
    });
    expect(await filesOf(row)).toEqual(['0-1.jpg']);
    expect(await leftovers()).toEqual([]);
    expect(await eventNamesOf(db, organizationId)).toEqual(['job_created', 'processing_started', ...end]);
  });

  test('of a video carries the length that the tier allowed when it was accepted', async () => {
    const { deps, organizationId, orders } = await setUp();
    const who = await createUser(db, organizationId, { id: 'free', tier: 'free' });
    const request = { props: {}, frameRange: [0, 29] as [number, number] };
    const row = await accept(
      db,
      who,
      anOrder({ kind: 'video', format: 'mp4', compositionId: 'open', request }),
    );
    await createUser(db, organizationId, { id: 'free', tier: 'unlimited' });
    await createRenderProcessor(deps)(jobOf(row));
    expect(orders).toMatchObject([
      {
        output: { kind: 'video', format: 'mp4', frameRange: [0, 29] },
        limits: { maxDurationSeconds: 30, maxRenderMs: 2000 },
      },
    ]);
  });

  test('of an older planning, or of an export that has ended, renders nothing', async () => {
    const { deps, who, orders } = await setUp();
    const row = await accept(db, who);
    await createRenderProcessor(deps)(jobOf({ ...row, epoch: 7 }));
    await createRenderProcessor(deps)(jobOf(row));
    await createRenderProcessor(deps)(jobOf(row));
    expect(orders).toHaveLength(1);
  });

  test('writes its progress while it renders', async () => {
    const { deps, who } = await setUp(async (spec, { onProgress }) => {
      onProgress?.({ stage: 'rendering', percent: 40, renderedFrames: 4, totalFrames: 10, timeLeftMs: 60 });
      const id = spec.outputPath.match(/([0-9a-f-]{36})-\d+-\d+\./)?.[1] ?? '';
      await expect
        .poll(async () => (await readExport(db, id)).progress, { timeout: 5000 })
        .toMatchObject({ percent: 40 });
    });
    const row = await accept(db, who);
    await createRenderProcessor(deps)(jobOf(row));
    expect(await readExport(db, row.id)).toMatchObject({ status: 'completed' });
  });
});

describe('a render that fails', () => {
  test('through the composition fails for good at once, and tells the queue to give up', async () => {
    const { deps, who, organizationId, filesOf, leftovers } = await setUp(async () => {
      throw new RendermillError('composition_error', { message: 'Error: no title' });
    });
    const row = await accept(db, who);
    expect(await failureOf(createRenderProcessor(deps)(jobOf(row)))).toBeInstanceOf(GiveUpError);
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'failed',
      error_code: 'composition_error',
      error_text: 'Error: no title',
    });
    expect(await filesOf(row)).toEqual([]);
    expect(await leftovers()).toEqual([]);
    expect((await eventNamesOf(db, organizationId)).at(-1)).toBe('processing_failed');
  });

  test(`through the machine is tried ${maxFailedAttempts} times, and says meanwhile why`, async () => {
    const { deps, who, organizationId, orders } = await setUp(async () => {
      throw new RendermillError('browser_lost');
    });
    const row = await accept(db, who);
    const process = createRenderProcessor(deps);
    for (let attempt = 1; attempt < maxFailedAttempts; attempt++) {
      expect(await failureOf(process(jobOf(row)))).toMatchObject({ code: 'browser_lost' });
      expect(await readExport(db, row.id)).toMatchObject({
        status: 'queued',
        error_code: 'browser_lost',
        failed_attempts: attempt,
      });
    }
    expect(await failureOf(process(jobOf(row)))).toBeInstanceOf(GiveUpError);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'failed', attempt: maxFailedAttempts });
    expect(orders).toHaveLength(maxFailedAttempts);
    const names = await eventNamesOf(db, organizationId);
    expect(names.filter((name) => name === 'processing_failed')).toHaveLength(1);
    expect(names.filter((name) => name === 'processing_started')).toHaveLength(maxFailedAttempts);
  });

  test('for a reason that nobody knows is render_failed, without the inside of the error', async () => {
    const { deps, who } = await setUp(async () => {
      throw new Error('connect to 10.0.0.5 with password hunter2');
    });
    const row = await accept(db, who);
    expect(await failureOf(createRenderProcessor(deps)(jobOf(row)))).toMatchObject({ code: 'render_failed' });
    expect((await readExport(db, row.id)).error_text).not.toContain('hunter2');
  });

  test('and then succeeds forgets why it had failed', async () => {
    let renders = 0;
    const { deps, who } = await setUp(async () => {
      renders += 1;
      if (renders === 1) throw new RendermillError('render_crashed');
    });
    const row = await accept(db, who);
    await failureOf(createRenderProcessor(deps)(jobOf(row)));
    await createRenderProcessor(deps)(jobOf(row));
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'completed',
      error_code: null,
      error_text: null,
    });
  });
});

describe('a render that is ended', () => {
  test('by a cancel is canceled, promptly, and its file is gone', async () => {
    const { deps, who, organizationId, filesOf, leftovers } = await setUp(async (_spec, options) => {
      await db.transaction().execute((tx) => requestCancel(tx, organizationId, row.id, new Date(noon)));
      await untilAborted(options);
    });
    const row = await accept(db, who);
    await createRenderProcessor(deps)(jobOf(row));
    expect(await readExport(db, row.id)).toMatchObject({ status: 'canceled' });
    expect(await filesOf(row)).toEqual([]);
    expect(await leftovers()).toEqual([]);
    expect((await eventNamesOf(db, organizationId)).at(-1)).toBe('job_canceled');
  });

  test('by the stop of its worker goes back into the line and costs no attempt', async () => {
    const stopping = new AbortController();
    const { deps, who, organizationId } = await setUp(async (_spec, options) => {
      stopping.abort();
      await untilAborted(options);
    });
    const row = await accept(db, who);
    await createRenderProcessor(deps)(jobOf(row, stopping.signal));
    expect(await readExport(db, row.id)).toMatchObject({
      status: 'queued',
      fed_at: null,
      hand_backs: 1,
      failed_attempts: 0,
    });
    expect(await eventNamesOf(db, organizationId)).toEqual(['job_created', 'processing_started']);
  });

  test('because another worker has taken it over leaves no trace: its result is refused, its file removed', async () => {
    const { deps, who, organizationId, filesOf } = await setUp(async () => {
      await start(db, row);
    });
    const row = await accept(db, who);
    await createRenderProcessor(deps)(jobOf(row));
    expect(await readExport(db, row.id)).toMatchObject({ status: 'started', attempt: 2 });
    expect(await filesOf(row)).toEqual([]);
    expect(await eventNamesOf(db, organizationId)).toEqual([
      'job_created',
      'processing_started',
      'processing_started',
    ]);
  });

  test('and done again by its heir leaves the file of the heir alone', async () => {
    const { deps, who, filesOf } = await setUp();
    const row = await accept(db, who);
    await start(db, row);
    const earlier = join(directory, `${row.id}.png`);
    await writeFile(earlier, 'of a worker that died after it had stored');
    await deps.storage.putFile(`${artifactPrefix(row.organization_id, row.id)}0-1.png`, earlier);
    await createRenderProcessor(deps)(jobOf(row));
    expect(await filesOf(row)).toEqual(['0-2.png']);
    await expect(access(earlier)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
