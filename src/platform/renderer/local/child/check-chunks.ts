/** ffmpeg ends well where a piece of sound is missing, and joins what does not fit: so everything is counted, before and after. */
import { RendermillError } from '../../../../core/errors.ts';
import type { JoinSpec } from '../../contract.ts';
import { cuttableFormat } from '../chunk-files.ts';
import { type FfHooks, type FileFacts, probeFile } from './ff-tools.ts';
import { readWavFacts, type WavPiece } from './wav.ts';

/** Fewer are a mistake: each chunk costs a second. */
const minFramesPerChunk = 5;

const refuse = (message: string, details: Record<string, unknown>, cause?: unknown): RendermillError =>
  new RendermillError('render_failed', { message, details, ...(cause === undefined ? {} : { cause }) });

const unreadable =
  (what: string) =>
  (error: unknown): never => {
    throw refuse(`${what} cannot be read.`, {}, error);
  };

export const framesOf = ({ video: { frameRange } }: JoinSpec): number => frameRange[1] - frameRange[0] + 1;

const assertCounts = (spec: JoinSpec): void => {
  const { framesPerChunk, videoPaths, audioPaths } = spec;
  const chunks = Math.ceil(framesOf(spec) / framesPerChunk);
  const areRight =
    framesPerChunk >= minFramesPerChunk &&
    videoPaths.length === chunks &&
    (audioPaths.length === 0 || audioPaths.length === chunks);
  if (areRight) return;
  throw refuse(
    `${framesOf(spec)} frames in chunks of ${framesPerChunk} are ${chunks} chunks of at least ${minFramesPerChunk} frames; ${videoPaths.length} videos and ${audioPaths.length} sounds were given.`,
    { framesPerChunk, chunks, videos: videoPaths.length, sounds: audioPaths.length },
  );
};

type Picture = Pick<FileFacts, 'width' | 'height' | 'frames'>;

const assertPicture = (what: string, { frames, width, height }: Picture, expected: Picture): void => {
  if (frames === expected.frames && width === expected.width && height === expected.height) return;
  const tell = (one: Picture): string => `${one.frames} frames of ${one.width} x ${one.height}`;
  const found = { frames, width, height };
  throw refuse(`${what} has ${tell(found)}; ${tell(expected)} were expected.`, { found, expected });
};

export const checkPictures = async (spec: JoinSpec, hooks: FfHooks): Promise<void> => {
  assertCounts(spec);
  const { framesPerChunk, videoPaths } = spec;
  const { width, height } = spec.video;
  for (const [index, path] of videoPaths.entries()) {
    const name = `Chunk ${index + 1} of ${videoPaths.length}`;
    const frames = Math.min(framesPerChunk, framesOf(spec) - index * framesPerChunk);
    const found = await probeFile(path, hooks).catch(unreadable(name));
    assertPicture(name, found, { width, height, frames });
  }
};

/** Remotion rounds what it puts before and behind a sound to milliseconds. More than that is another length. */
const pieceToleranceSeconds = 0.02;

/** The sounds of the chunks, each with the number of samples that its frames last: rounding never adds up. */
export const checkSounds = async (spec: JoinSpec): Promise<readonly WavPiece[]> => {
  const { audioPaths, framesPerChunk, video } = spec;
  const pieces: WavPiece[] = [];
  for (const [index, path] of audioPaths.entries()) {
    const name = `The sound of chunk ${index + 1} of ${audioPaths.length}`;
    const facts = await readWavFacts(path).catch(unreadable(name));
    const { sampleRate, channels, samples } = facts;
    const first = pieces[0] ?? facts;
    if (sampleRate !== first.sampleRate || channels !== first.channels) {
      throw refuse(`${name} does not fit the first.`, { sampleRate, channels });
    }
    const sampleAt = (frame: number): number =>
      Math.round((Math.min(frame, framesOf(spec)) / video.fps) * sampleRate);
    const wanted = sampleAt((index + 1) * framesPerChunk) - sampleAt(index * framesPerChunk);
    // None at all is a silent chunk.
    if (samples > 0 && Math.abs(samples - wanted) > pieceToleranceSeconds * sampleRate) {
      throw refuse(`${name} has ${samples} samples; ${wanted} were expected.`, { samples, wanted });
    }
    pieces.push({ ...facts, path, wanted });
  }
  return pieces;
};

/** Of AAC, and of Opus as libopus makes it, which is always at 48 kHz. */
const samplesPerPacket = { mp4: 1024, webm: 960 } as const;

/** An encoder adds up to three packets, and the longest lasts 64 ms (AAC at 16 kHz). */
const soundToleranceSeconds = 0.2;

/** Nothing is missing in what the chunks became. */
export const checkJoined = async (spec: JoinSpec, file: string, hooks: FfHooks): Promise<void> => {
  const { width, height, fps } = spec.video;
  const found = await probeFile(file, hooks).catch(unreadable('The joined video'));
  assertPicture('The joined video', found, { width, height, frames: framesOf(spec) });
  if (spec.audioPaths.length === 0) return;
  const expected = framesOf(spec) / fps;
  const seconds = (found.packets * samplesPerPacket[cuttableFormat(spec.output)]) / (found.sampleRate || 1);
  if (Math.abs(seconds - expected) <= soundToleranceSeconds) return;
  throw refuse(`The joined video has ${seconds} seconds of sound; ${expected} were expected.`, {
    seconds,
    expected,
  });
};
