import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { extensionOf } from '../../../../core/output.ts';
import type { JoinSpec, RenderResult } from '../../contract.ts';
import { cuttableFormat } from '../chunk-files.ts';
import { checkJoined, checkPictures, checkSounds, framesOf } from './check-chunks.ts';
import { concatWebms, encodeSound, type FfHooks, muxVideo } from './ff-tools.ts';
import { moveFile } from './move-file.ts';
import { trackProgress } from './progress.ts';
import type { RenderHooks } from './video-options.ts';
import { wavsInRow } from './wav.ts';

type JoinHooks = Pick<RenderHooks, 'onProgress'> & FfHooks;

/**
 * MPEG-TS may be read one after the other. A WebM says its length in whole milliseconds only: by that, with 40 chunks the picture came
 * 26 ms away from the sound.
 */
const picture = async (folder: string, spec: JoinSpec, hooks: FfHooks): Promise<string> => {
  if (cuttableFormat(spec.output) === 'mp4') return `concat:${spec.videoPaths.join('|')}`;
  const row = join(folder, 'row.webm');
  await concatWebms(spec.videoPaths, spec.framesPerChunk / spec.video.fps, row, hooks);
  return row;
};

/** Encoded once, as in a whole render: nothing is heard where the chunks meet. */
const sound = async (folder: string, spec: JoinSpec, hooks: FfHooks): Promise<string | null> => {
  const pieces = await checkSounds(spec);
  if (pieces.length === 0) return null;
  const codec = cuttableFormat(spec.output) === 'mp4' ? 'aac' : 'opus';
  const file = join(folder, `sound.${codec}`);
  await encodeSound(wavsInRow(pieces), codec, file, hooks);
  return file;
};

const joinIn = async (folder: string, spec: JoinSpec, hooks: JoinHooks): Promise<void> => {
  const progress = trackProgress(() => performance.now());
  progress.begin(framesOf(spec));
  const advance = (share: number): void => hooks.onProgress(progress.advance(share, framesOf(spec)));
  advance(0);
  await checkPictures(spec, hooks);
  advance(0.2);
  const soundFile = await sound(folder, spec, hooks);
  advance(0.6);
  const file = join(folder, `joined.${extensionOf(spec.output.format)}`);
  const video = await picture(folder, spec, hooks);
  await muxVideo({ video, sound: soundFile, fps: spec.video.fps, outputPath: file }, hooks);
  advance(0.9);
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
