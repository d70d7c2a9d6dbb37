/** The video by a number of workers, and what the records say about how it went. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Chunk, chunksOf } from '../../../src/domain/exports/chunks/chunk.ts';
import { measureFrameCost } from '../../../src/domain/exports/chunks/measure-frame-cost.ts';
import type { Database } from '../../../src/platform/db/client.ts';
import { measureWork } from './cpu-meter.ts';
import { assertWhole, compositionId, fps, type Measured, type Workshop } from './job.ts';
import { median } from './median.ts';
import { type ScaleService, who } from './service.ts';

const lookMs = 100;

/** Milliseconds. */
export interface CutTimes {
  /** From the accepted request to the worker that has it. */
  readonly claimMs: number;
  /** The composition is resolved, the plan is made, the chunks are written. */
  readonly measureMs: number;
  /** From the cut to the chunk's worker, the median. */
  readonly feedMs: number;
  /** From the first chunk's start to the last one's end. */
  readonly chunksMs: number;
  /** From the last chunk's end to the completed export. */
  readonly joinMs: number;
  /** Of all chunks' files. */
  readonly bytes: number;
}

export interface WorkersRun extends Measured {
  readonly workers: number;
  /** What the product reckoned with when it planned. */
  readonly expectedMsPerFrame: number;
  readonly chunks: number;
  /** Null: it was rendered whole. */
  readonly times: CutTimes | null;
  readonly fileBytes: number;
}

/** The rows are gone as soon as the export is completed. */
const watchChunks = (db: Database, exportId: () => string | undefined): (() => Promise<readonly Chunk[]>) => {
  let latest: readonly Chunk[] = [];
  let stopped = false;
  const look = async (): Promise<void> => {
    while (!stopped) {
      const id = exportId();
      const rows = id === undefined ? [] : await chunksOf(db, id);
      if (rows.length > 0) latest = rows;
      await sleep(lookMs);
    }
  };
  const looking = look();
  return async () => {
    stopped = true;
    await looking;
    return latest;
  };
};

const timesOf = async (
  db: Database,
  exportId: string,
  chunks: readonly Chunk[],
): Promise<CutTimes | null> => {
  if (chunks.length === 0) return null;
  const row = await db
    .selectFrom('export')
    .select(['created_at', 'started_at', 'completed_at'])
    .where('id', '=', exportId)
    .executeTakeFirstOrThrow();
  const at = (date: Date | null | undefined): number => date?.getTime() ?? Number.NaN;
  const cut = at(chunks[0]?.created_at);
  const starts = chunks.map((chunk) => at(chunk.started_at));
  const lastDone = Math.max(...chunks.map((chunk) => at(chunk.done_at)));
  return {
    claimMs: at(row.started_at) - at(row.created_at),
    measureMs: cut - at(row.started_at),
    feedMs: median(starts) - cut,
    chunksMs: lastDone - Math.min(...starts),
    joinMs: at(row.completed_at) - lastDone,
    bytes: chunks.reduce(
      (sum, { result }) => sum + (result?.video.sizeInBytes ?? 0) + (result?.audio?.sizeInBytes ?? 0),
      0,
    ),
  };
};

const expectedCost = (db: Database, { job }: Workshop): Promise<number> =>
  measureFrameCost(
    db,
    { organization_id: 'bench', composition_id: compositionId, format: 'mp4' },
    { ...job, fps },
  );

export const renderByWorkers = async (
  service: ScaleService,
  workshop: Workshop,
  count: number,
): Promise<WorkersRun> => {
  const { db, client } = service;
  const { job, directory } = workshop;
  const workers = await service.startWorkers(count);
  const expectedMsPerFrame = await expectedCost(db, workshop);
  let id: string | undefined;
  const stopWatching = watchChunks(db, () => id);
  const render = () =>
    measureWork(workers.pids, async () => {
      ({ id } = await client.render({
        ...who,
        compositionId,
        kind: 'video',
        format: 'mp4',
        width: job.width,
        height: job.height,
        frameRange: [0, job.frames - 1],
        // A file that is there already would be used again.
        props: { take: Date.now() },
      }));
      for await (const _message of client.watch(id));
    });
  const measured = await render().finally(stopWatching);
  const chunks = await stopWatching();
  const { file, error, cached } = await client.get(String(id));
  if (file === null || cached) throw new Error(`the render came to nothing: ${error?.message ?? 'cached'}`);
  await workers.stop();
  const path = join(directory, `workers-${count}.mp4`);
  await client.download(file.fileId, path);
  await assertWhole(path, job);
  return {
    ...measured,
    workers: count,
    expectedMsPerFrame,
    chunks: Math.max(1, chunks.length),
    times: await timesOf(db, String(id), chunks),
    fileBytes: file.sizeInBytes,
  };
};
