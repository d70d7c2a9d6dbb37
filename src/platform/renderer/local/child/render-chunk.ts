import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderMedia } from '@remotion/renderer';
import { RendermillError } from '../../../../core/errors.ts';
import type { ChunkResult, ChunkSpec } from '../../contract.ts';
import { chunkFiles } from '../chunk-files.ts';
import type { ChildSettings } from '../messages.ts';
import { moveFile } from './move-file.ts';
import type { VideoPlan } from './plan-render.ts';
import { prepareVideo } from './prepare-render.ts';
import { preparing, trackProgress } from './progress.ts';
import type { Session } from './session.ts';
import { type RenderHooks, videoOptions } from './video-options.ts';
import { emptyWav, isSilentWav } from './wav.ts';

/**
 * Not Remotion's AAC for seamless joins (4.0.527): a sound that begins within a chunk loses up to a frame's time of its beginning there,
 * since what aligns the chunk to AAC's packets is cut off every sound. Plain samples are what a whole render has before it encodes. What
 * remains: Remotion begins a sound at a whole millisecond, and where its frame lies between two, the next chunk goes on up to half of one
 * off.
 */
const pieceSound = { audioCodec: 'pcm-16', forSeamlessAacConcatenation: false } as const;

const assertSameLength = (plan: VideoPlan, { frameRange: [first, last] }: ChunkSpec): void => {
  if (plan.frameRange[0] === first && plan.frameRange[1] === last) return;
  throw new RendermillError('composition_error', {
    message: `The composition's length changed while it was rendered in pieces: frames ${first} to ${last} became ${plan.frameRange.join(' to ')}. calculateMetadata() must answer the same for the same props.`,
    details: { before: [first, last], now: [...plan.frameRange] },
  });
};

/** Renders some of a video's frames, and their sound, into two files that `joinChunks` takes. */
export const renderChunk = async (
  session: Session,
  spec: ChunkSpec,
  settings: ChildSettings,
  hooks: RenderHooks,
): Promise<ChunkResult> => {
  const startedMs = performance.now();
  hooks.onProgress(preparing);
  const { plan, ...prepared } = await prepareVideo(session, spec, settings, hooks);
  assertSameLength(plan, spec);
  const [first, last] = spec.frames;
  const own = chunkFiles(spec.output, join(tmpdir(), 'chunk'));
  const asked = chunkFiles(spec.output, spec.outputBase);
  const progress = trackProgress(() => performance.now());
  hooks.onProgress(progress.begin(last - first + 1));
  await renderMedia({
    ...videoOptions(plan, { ...prepared, tabs: settings.tabs, hooks, progress }),
    ...pieceSound,
    codec: plan.codec === 'h264' ? 'h264-ts' : plan.codec,
    frameRange: [first, last],
    compositionStart: spec.frameRange[0],
    // Every piece has sound, or the later ones would move up.
    enforceAudioTrack: true,
    numberOfGifLoops: null,
    outputLocation: own.videoPath,
    separateAudioTo: own.audioPath,
  });
  const silent = await isSilentWav(own.audioPath);
  if (silent) await emptyWav(own.audioPath);
  await moveFile(own.videoPath, asked.videoPath);
  await moveFile(own.audioPath, asked.audioPath);
  hooks.onProgress(progress.finish());
  return { ...asked, silent, renderTimeMs: Math.round(performance.now() - startedMs) };
};
