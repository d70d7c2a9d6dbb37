/** ffmpeg ends well where a piece of sound is missing, and joins what does not fit: so everything is counted, before and after. */
import type { CancelSignal } from '@remotion/renderer';
import { RendermillError } from '../../../../core/errors.ts';
import type { JoinSpec } from '../../contract.ts';
import { cuttableFormat } from '../chunk-files.ts';
import { type FileFacts, probeFile } from './ff-tools.ts';

interface CheckHooks {
  readonly cancelSignal: CancelSignal;
  readonly onAlive: () => void;
}

/** With fewer frames Remotion cannot cut AAC between two packets. */
const minFramesPerChunk = 5;

const refuse = (message: string, details: Record<string, unknown>, cause?: unknown): RendermillError =>
  new RendermillError('render_failed', { message, details, ...(cause === undefined ? {} : { cause }) });

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

const probe = (what: string, file: string, { cancelSignal }: CheckHooks): Promise<FileFacts> =>
  probeFile(file, cancelSignal).catch((error: unknown) => {
    throw refuse(`${what} cannot be read.`, {}, error);
  });

/** Returns the sample rate of their sound, hertz; null where they have none. */
export const checkChunks = async (spec: JoinSpec, hooks: CheckHooks): Promise<number | null> => {
  assertCounts(spec);
  const { framesPerChunk, videoPaths, audioPaths } = spec;
  const { width, height } = spec.video;
  let sampleRate: number | null = null;
  for (const [index, videoPath] of videoPaths.entries()) {
    const name = `Chunk ${index + 1} of ${videoPaths.length}`;
    const frames = Math.min(framesPerChunk, framesOf(spec) - index * framesPerChunk);
    assertPicture(name, await probe(name, videoPath, hooks), { width, height, frames });
    hooks.onAlive();
    const audioPath = audioPaths[index];
    if (audioPath === undefined) continue;
    const sound = await probe(`The sound of chunk ${index + 1}`, audioPath, hooks);
    sampleRate ??= sound.sampleRate;
    if (sound.packets === 0 || sound.sampleRate !== sampleRate) {
      throw refuse(`The sound of chunk ${index + 1} does not fit the first.`, { sound, sampleRate });
    }
  }
  return sampleRate;
};

/** Of AAC, and of Opus as libopus makes it, which is always at 48 kHz. */
const samplesPerPacket = { mp4: 1024, webm: 960 } as const;

/** AAC ends up to two packets late, and a packet is at most 47 ms long (22,050 Hz). */
const soundToleranceSeconds = 0.15;

/** Nothing is missing in what the chunks became. */
export const checkJoined = async (spec: JoinSpec, file: string, hooks: CheckHooks): Promise<void> => {
  const { width, height, fps } = spec.video;
  const found = await probe('The joined video', file, hooks);
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
