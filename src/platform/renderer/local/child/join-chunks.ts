import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { combineChunks } from '@remotion/renderer';
import { extensionOf } from '../../../../core/output.ts';
import type { JoinSpec, RenderResult } from '../../contract.ts';
import { cuttableFormat } from '../chunk-files.ts';
import { checkChunks, checkJoined, framesOf } from './check-chunks.ts';
import { codecs } from './encoding.ts';
import { concatVideos } from './ff-tools.ts';
import { moveFile } from './move-file.ts';
import { trackProgress } from './progress.ts';
import type { RenderHooks } from './video-options.ts';

type JoinHooks = Pick<RenderHooks, 'cancelSignal' | 'onProgress' | 'onAlive'>;

/**
 * A WebM says its length in whole milliseconds, and by that Remotion would put the next one behind it: with 40 chunks the picture came
 * 26 ms away from the sound. One file, joined by the exact lengths, is left as it is. MPEG-TS has no such trouble.
 */
const videosInRow = async (spec: JoinSpec, folder: string, hooks: JoinHooks): Promise<string[]> => {
  if (cuttableFormat(spec.output) !== 'webm') return [...spec.videoPaths];
  const row = join(folder, 'row.webm');
  await concatVideos(spec.videoPaths, spec.framesPerChunk / spec.video.fps, row, hooks.cancelSignal);
  hooks.onAlive();
  return [row];
};

const joinIn = async (folder: string, spec: JoinSpec, hooks: JoinHooks): Promise<void> => {
  const { video, output } = spec;
  const progress = trackProgress(() => performance.now());
  progress.begin(framesOf(spec));
  const advance = (share: number): void => hooks.onProgress(progress.advance(share, framesOf(spec)));
  advance(0);
  const file = join(folder, `joined.${extensionOf(output.format)}`);
  const sampleRate = await checkChunks(spec, hooks);
  await combineChunks({
    videoFiles: await videosInRow(spec, folder, hooks),
    audioFiles: [...spec.audioPaths],
    // AAC is cut between its packets, whose length in time hangs on this.
    ...(sampleRate === null ? {} : { sampleRate }),
    codec: codecs[cuttableFormat(output)],
    audioCodec: null,
    fps: video.fps,
    framesPerChunk: spec.framesPerChunk,
    preferLossless: false,
    compositionDurationInFrames: spec.compositionFrames,
    frameRange: [...video.frameRange],
    outputLocation: file,
    logLevel: 'error',
    cancelSignal: hooks.cancelSignal,
    onProgress: ({ totalProgress }) => advance(totalProgress),
  });
  await checkJoined(spec, file, hooks);
  await moveFile(file, spec.outputPath);
  hooks.onProgress(progress.finish());
};

/** Puts the pieces of a video in a row and proves that nothing is missing. Needs no browser. */
export const joinChunks = async (spec: JoinSpec, hooks: JoinHooks): Promise<RenderResult> => {
  const startedMs = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'join-'));
  try {
    await joinIn(folder, spec, hooks);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return {
    width: spec.video.width,
    height: spec.video.height,
    durationSeconds: framesOf(spec) / spec.video.fps,
    renderTimeMs: Math.round(performance.now() - startedMs),
    cost: null,
  };
};
