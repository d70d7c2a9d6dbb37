/** All chunks of a video are in storage: fetch them, join them, and complete the export as any other. */
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { RendermillError } from '../../../core/errors.ts';
import { extensionOf, type VideoFormat } from '../../../core/output.ts';
import { type Chunk, chunksOf } from '../../../domain/exports/chunks/chunk.ts';
import { renderAgain } from '../../../domain/exports/chunks/return-chunk.ts';
import type { Export, Fence } from '../../../domain/exports/export.ts';
import type { StoredChunkFile } from '../../../platform/db/schema-rendering.ts';
import type { RenderResult } from '../../../platform/renderer/contract.ts';
import { completeWith } from '../complete-with.ts';
import type { Hold } from '../hold.ts';
import type { RunRenderDeps } from '../render-deps.ts';
import { write } from '../settle-work.ts';
import { progressOfJoin } from './progress-of-join.ts';
import { rendererOfChunks } from './renderer-of-chunks.ts';

export const runJoin = async (deps: RunRenderDeps, row: Export, fence: Fence, hold: Hold): Promise<void> => {
  const directory = join(deps.outputDirectory, `${row.id}-${fence.epoch}-${fence.attempt}-join`);
  await mkdir(directory, { recursive: true });
  try {
    const chunks = await chunksOf(deps.db, row.id);
    const fetched = await fetchAll(deps, chunks, directory);
    if (fetched.lost.length > 0) {
      deps.log.warn(
        { exportId: row.id, chunks: fetched.lost },
        'chunks are gone from storage; they are rendered again',
      );
      return await write(deps, (tx) => renderAgain(tx, fence, fetched.lost, deps.clock.now()));
    }
    const path = join(directory, `joined.${extensionOf(row.format)}`);
    const result = await joinAll(deps, row, hold, fetched, path);
    deps.checkpoint?.('rendered');
    // A file of several encodings is not, byte for byte, what one render makes: it is not offered for what comes later.
    await completeWith(deps, row, fence, { path, result: withWorkOf(chunks, result) }, { reusable: false });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const withWorkOf = (chunks: readonly Chunk[], joined: RenderResult): RenderResult => ({
  ...joined,
  renderTimeMs: chunks.reduce((sum, chunk) => sum + (chunk.render_ms ?? 0), joined.renderTimeMs),
});

interface Fetched {
  readonly videoPaths: readonly string[];
  readonly audioPaths: readonly string[];
  /** Numbers of chunks whose files are not there, or not whole. */
  readonly lost: readonly number[];
}

const fetchAll = async (
  deps: RunRenderDeps,
  chunks: readonly Chunk[],
  directory: string,
): Promise<Fetched> => {
  const videoPaths: string[] = [];
  const audioPaths: string[] = [];
  const lost: number[] = [];
  const isSilent = chunks.every(({ result }) => result?.silent === true);
  for (const { number, result } of chunks) {
    const video = result && (await fetchFile(deps, result.video, directory));
    const sound = isSilent ? null : (result?.audio ?? null);
    const audio = sound && (await fetchFile(deps, sound, directory));
    if (video === null || (sound !== null && audio === null)) lost.push(number);
    if (video !== null) videoPaths.push(video);
    if (audio !== null) audioPaths.push(audio);
  }
  return { videoPaths, audioPaths, lost };
};

/** Null: it is not there, or not what was stored. */
const fetchFile = async (
  { storage }: RunRenderDeps,
  file: StoredChunkFile,
  directory: string,
): Promise<string | null> => {
  const stored = await storage.stat(file.key);
  if (stored?.sizeInBytes !== file.sizeInBytes) return null;
  const path = join(directory, basename(file.key));
  await pipeline(await storage.read(file.key), createWriteStream(path));
  return path;
};

const joinAll = async (
  deps: RunRenderDeps,
  row: Export,
  hold: Hold,
  fetched: Fetched,
  outputPath: string,
): Promise<RenderResult> => {
  const { chunk_plan: plan } = row;
  if (plan === null) throw new RendermillError('internal', { cause: 'a cut video without a plan' });
  const { framesPerChunk, compositionFrames, ...video } = plan;
  return rendererOfChunks(deps).joinChunks(
    {
      organizationId: row.organization_id,
      output: { kind: 'video', format: row.format as VideoFormat, frameRange: video.frameRange },
      video,
      framesPerChunk,
      compositionFrames,
      videoPaths: fetched.videoPaths,
      audioPaths: fetched.audioPaths,
      maxRenderMs: deps.timeLimits.videoMs,
      outputPath,
    },
    { signal: hold.signal, onProgress: ({ percent }) => hold.report(progressOfJoin(row, percent)) },
  );
};
