/** One attempt at one chunk: render it, store its files, and count it as done; the last one makes the join due. */
import { mkdir, rm } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { RendermillError } from '../../../core/errors.ts';
import type { ChunkFence, HeldChunk } from '../../../domain/exports/chunks/chunk.ts';
import { finishChunk } from '../../../domain/exports/chunks/finish-chunk.ts';
import type { StoredChunkFile } from '../../../platform/db/schema-rendering.ts';
import type { ChunkResult } from '../../../platform/renderer/contract.ts';
import { findBundle } from '../find-bundle.ts';
import type { Hold } from '../hold.ts';
import { putRendered } from '../put-rendered.ts';
import type { RunRenderDeps } from '../render-deps.ts';
import { toVideoSpec } from '../render-spec.ts';
import { whileUnavailable } from '../while-unavailable.ts';
import { chunkKey } from './chunk-keys.ts';
import { rendererOfChunks } from './renderer-of-chunks.ts';

export const runChunk = async (
  deps: RunRenderDeps,
  held: HeldChunk,
  fence: ChunkFence,
  hold: Hold,
): Promise<void> => {
  const { chunk } = held;
  const directory = join(deps.outputDirectory, `${chunk.id}-${fence.epoch}-${fence.attempt}`);
  await mkdir(directory, { recursive: true });
  try {
    const rendered = await render(deps, held, hold, join(directory, 'chunk'));
    deps.checkpoint?.('chunk_rendered');
    const result = {
      video: await store(deps, held, rendered.videoPath),
      audio: rendered.audioPath === null ? null : await store(deps, held, rendered.audioPath),
      silent: rendered.silent,
    };
    deps.checkpoint?.('chunk_stored');
    await whileUnavailable(deps.log, () =>
      deps.db
        .transaction()
        .execute((tx) =>
          finishChunk(tx, fence, { result, renderTimeMs: rendered.renderTimeMs }, deps.clock.now()),
        ),
    );
    deps.checkpoint?.('chunk_committed');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const render = async (
  deps: RunRenderDeps,
  { export: row, chunk }: HeldChunk,
  hold: Hold,
  outputBase: string,
): Promise<ChunkResult> => {
  if (row.chunk_plan === null) throw new RendermillError('internal', { cause: 'a cut video without a plan' });
  const { composition, bundlePath } = await findBundle(deps, row);
  const { output, ...spec } = toVideoSpec(row, composition, bundlePath, deps.timeLimits);
  return rendererOfChunks(deps).renderChunk(
    {
      ...spec,
      output,
      frames: [chunk.first_frame, chunk.last_frame],
      frameRange: row.chunk_plan.frameRange,
      outputBase,
    },
    { signal: hold.signal, onProgress: hold.report },
  );
};

const store = async (
  deps: RunRenderDeps,
  { export: row, chunk }: HeldChunk,
  path: string,
): Promise<StoredChunkFile> => {
  const key = chunkKey(chunk, extname(path));
  return { key, ...(await putRendered(deps, row, key, path)) };
};
