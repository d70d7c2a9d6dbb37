/**
 * What the pieces of a cut video cost on a machine that does nothing else, by the renderer that the workers have: several workers on one
 * machine, as in this bench, slow each other down.
 */
import { join } from 'node:path';
import { createLogger } from '../../../src/platform/log/log.ts';
import type { ChunkResult, JoinSpec } from '../../../src/platform/renderer/contract.ts';
import { createLocalRenderer } from '../../../src/platform/renderer/local/local-renderer.ts';
import { compositionId, fps, type Job, type Workshop } from './job.ts';
import { median } from './median.ts';

/** Next to nothing but what every chunk costs. */
const shortFrames = 6;
const shortChunks = 12;
const fewChunks = 2;
const longFrames = 450;
const joins = 3;
const maxRenderMs = 1_800_000;

/** Milliseconds, measured alone. */
export interface Parts {
  readonly msPerFrame: number;
  /** What a chunk costs beside its frames. */
  readonly chunkMs: number;
  /** What one chunk more costs the join. */
  readonly joinMsPerChunk: number;
}

const timed = async <T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> => {
  const begun = performance.now();
  const result = await work();
  return { ms: performance.now() - begun, result };
};

const joinSpec = (
  { width, height, frames }: Job,
  pieces: readonly ChunkResult[],
  outputPath: string,
): JoinSpec => {
  const frameRange = [0, pieces.length * shortFrames - 1] as const;
  return {
    organizationId: 'bench',
    output: { kind: 'video', format: 'mp4', frameRange },
    video: { width, height, fps, frameRange },
    framesPerChunk: shortFrames,
    compositionFrames: frames,
    videoPaths: pieces.map(({ videoPath }) => videoPath),
    audioPaths: pieces.flatMap(({ audioPath }) => audioPath ?? []),
    maxRenderMs,
    outputPath,
  };
};

export const measureParts = async (workshop: Workshop): Promise<Parts> => {
  const { job, directory, bundlePath, browserExecutable } = workshop;
  const renderer = await createLocalRenderer({
    workDirectory: join(directory, 'parts'),
    slots: 1,
    browserExecutable,
    allowedHosts: [],
    log: createLogger({ level: 'error' }),
  });
  const whole = [0, job.frames - 1] as const;
  const renderPiece = (first: number, frames: number) =>
    timed(() =>
      renderer.renderChunk({
        organizationId: 'bench',
        bundlePath,
        bundleVersion: '0'.repeat(16),
        compositionId,
        inputProps: {},
        width: job.width,
        height: job.height,
        limits: { maxDurationSeconds: null, maxRenderMs },
        output: { kind: 'video', format: 'mp4', frameRange: whole },
        frameRange: whole,
        frames: [first, first + frames - 1],
        outputBase: join(directory, `piece-${first}-${frames}`),
      }),
    );
  const joinPieces = async (pieces: readonly ChunkResult[]): Promise<number> => {
    const times: number[] = [];
    for (let round = 1; round <= joins; round += 1) {
      const spec = joinSpec(job, pieces, join(directory, 'joined.mp4'));
      times.push((await timed(() => renderer.joinChunks(spec))).ms);
    }
    return median(times);
  };
  try {
    await renderPiece(0, shortFrames);
    const short: { ms: number; result: ChunkResult }[] = [];
    for (let number = 0; number < shortChunks; number += 1)
      short.push(await renderPiece(number * shortFrames, shortFrames));
    const frames = Math.min(longFrames, job.frames);
    const long = await renderPiece(0, frames);
    const shortMs = median(short.map(({ ms }) => ms));
    const msPerFrame = (long.ms - shortMs) / (frames - shortFrames);
    const pieces = short.map(({ result }) => result);
    const [few, all] = [await joinPieces(pieces.slice(0, fewChunks)), await joinPieces(pieces)];
    return {
      msPerFrame,
      chunkMs: Math.max(0, shortMs - shortFrames * msPerFrame),
      joinMsPerChunk: Math.max(0, (all - few) / (shortChunks - fewChunks)),
    };
  } finally {
    await renderer.close();
  }
};
