/** One video on many workers, with a renderer whose pieces are text: what is shown is who does what, and when. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RendermillError } from '../../../../src/core/errors.ts';
import { newId } from '../../../../src/core/ids.ts';
import { artifactPrefix } from '../../../../src/domain/artifacts/artifact-keys.ts';
import type { Export } from '../../../../src/domain/exports/export.ts';
import type { FedJob } from '../../../../src/domain/exports/fed-work.ts';
import { planNext } from '../../../../src/domain/exports/feed-exports.ts';
import { createRenderProcessor } from '../../../../src/features/renders/process.ts';
import type { RunRenderDeps } from '../../../../src/features/renders/render-deps.ts';
import { openListener } from '../../../../src/platform/db/listener.ts';
import type { ActiveJob } from '../../../../src/platform/queue/contract.ts';
import type {
  ChunkRenderer,
  ChunkSpec,
  JoinSpec,
  Renderer,
  RenderOptions,
} from '../../../../src/platform/renderer/contract.ts';
import { createFolderStorage } from '../../../../src/platform/storage/folder.ts';
import {
  accept,
  anOrder,
  beatOnce,
  createOrganization,
  createTestClock,
  createUser,
  openComposition,
  openTestDatabase,
  registerCompositions,
  silentLog,
  slots,
  times,
} from '../../../support/factories.ts';

export const videoFrames = 1_800;
export const videoSeconds = 60;

/** What a test changes of the renderer. */
export interface Behaviour {
  chunk?(spec: ChunkSpec, options: RenderOptions): Promise<void>;
  join?(spec: JoinSpec): Promise<void>;
  silent?: boolean;
  frames?: number;
  /** Before the video is measured. */
  measure?(): Promise<void>;
}

const rendererThat = (
  behaviour: Behaviour,
): Renderer & ChunkRenderer & { readonly joins: JoinSpec[]; readonly wholes: string[] } => {
  const joins: JoinSpec[] = [];
  const wholes: string[] = [];
  return {
    mode: 'local',
    version: 'test',
    joins,
    wholes,
    renderStills: () => Promise.reject(new Error('nobody asked for many')),
    close: async () => undefined,
    render: async (spec) => {
      wholes.push(spec.compositionId);
      await writeFile(spec.outputPath, 'whole');
      return { width: 1920, height: 1080, durationSeconds: videoSeconds, renderTimeMs: 1000, cost: null };
    },
    measureVideo: async () => {
      await behaviour.measure?.();
      const frames = behaviour.frames ?? videoFrames;
      return { width: 1920, height: 1080, fps: 30, frameRange: [0, frames - 1], compositionFrames: frames };
    },
    renderChunk: async (spec, options = {}) => {
      const [first, last] = spec.frames;
      options.onProgress?.({
        stage: 'rendering',
        percent: 50,
        renderedFrames: 10,
        totalFrames: last - first + 1,
        timeLeftMs: null,
      });
      await behaviour.chunk?.(spec, options);
      const [videoPath, audioPath] = [`${spec.outputBase}.ts`, `${spec.outputBase}.aac`];
      await writeFile(videoPath, `${first}-${last};`);
      await writeFile(audioPath, `sound ${first};`);
      return { videoPath, audioPath, silent: behaviour.silent ?? false, renderTimeMs: 100 };
    },
    joinChunks: async (spec) => {
      joins.push(spec);
      await behaviour.join?.(spec);
      const pieces = await Promise.all(spec.videoPaths.map((path) => readFile(path, 'utf8')));
      await writeFile(spec.outputPath, pieces.join(''));
      return { width: 1920, height: 1080, durationSeconds: videoSeconds, renderTimeMs: 7, cost: null };
    },
  };
};

const { db, url, close } = await openTestDatabase();
const listener = await openListener(url, silentLog);
const directory = await mkdtemp(join(tmpdir(), 'rendermill-chunks-'));

export { db };
export const closeScene = async (): Promise<void> => {
  await listener.close();
  await close();
  await rm(directory, { recursive: true, force: true });
};

const jobOf = ({ kind, id, epoch }: FedJob, signal: AbortSignal): ActiveJob => ({
  id: `${kind}-${id}-${epoch}`,
  name: kind,
  data: kind === 'chunk' ? { chunkId: id, epoch } : { exportId: id, epoch },
  attemptsMade: 0,
  attemptsAllowed: 10,
  signal,
});

export const setUp = async (behaviour: Behaviour = {}, workers = 4) => {
  await db.updateTable('export').set({ status: 'canceled' }).execute();
  await db.deleteFrom('render_chunk').execute();
  await db.deleteFrom('worker').execute();
  const organizationId = await createOrganization(db);
  await registerCompositions(db, organizationId, {
    compositions: [{ ...openComposition, durationInFrames: videoFrames }],
  });
  const who = await createUser(db, organizationId, { tier: 'unlimited' });
  const clock = createTestClock();
  await Promise.all(times(workers, () => beatOnce(db, slots(1))));
  const storage = createFolderStorage({ directory: join(directory, organizationId, 'storage') });
  const renderer = rendererThat(behaviour);
  const deps: RunRenderDeps = {
    db,
    storage,
    renderer,
    chunks: { renderer, afterSeconds: 20 },
    bundles: { path: async ({ version }) => `/bundles/${version}` },
    listener,
    clock,
    log: silentLog,
    workerId: newId(),
    outputDirectory: join(directory, organizationId, 'output'),
    timeLimits: { stillMs: 1000, videoMs: 2000 },
  };
  const process = createRenderProcessor(deps);
  const feed = async (): Promise<readonly FedJob[]> =>
    (await planNext(db, { mode: 'local', inFlight: 2 * workers, slots: workers }, clock.now())) ?? [];
  const run = (job: FedJob, signal: AbortSignal = new AbortController().signal) =>
    process(jobOf(job, signal));
  const request = (given: Parameters<typeof anOrder>[0] = {}): Promise<Export> =>
    accept(
      db,
      who,
      anOrder({
        kind: 'video',
        format: 'mp4',
        compositionId: 'open',
        planned: { width: 1920, height: 1080, durationSeconds: videoSeconds },
        ...given,
      }),
    );
  /** Accepts a video and has it cut. Answers its chunks' jobs. */
  const cut = async (given: Parameters<typeof anOrder>[0] = {}) => {
    const row = await request(given);
    for (const job of await feed()) await run(job);
    return { row, jobs: await feed() };
  };
  const filesOf = async (row: Export): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of storage.list(artifactPrefix(organizationId, row.id)))
      keys.push(key.slice(artifactPrefix(organizationId, row.id).length));
    return keys;
  };
  return { deps, organizationId, clock, storage, renderer, feed, run, request, cut, filesOf };
};

/** Rejects as a renderer does once its signal is aborted. */
export const untilAborted = ({ signal }: RenderOptions): Promise<never> =>
  new Promise((_resolve, reject) => {
    const refuse = () => reject(new RendermillError('render_canceled'));
    if (signal?.aborted) refuse();
    signal?.addEventListener('abort', refuse, { once: true });
  });
