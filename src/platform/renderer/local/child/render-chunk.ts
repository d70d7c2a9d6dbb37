import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderMedia } from '@remotion/renderer';
import { RendermillError } from '../../../../core/errors.ts';
import type { ChunkResult, ChunkSpec, VideoOutput } from '../../contract.ts';
import { chunkFiles, cuttableFormat } from '../chunk-files.ts';
import type { ChildSettings } from '../messages.ts';
import { isAudible } from './ff-tools.ts';
import { moveFile } from './move-file.ts';
import type { VideoPlan } from './plan-render.ts';
import { prepareVideo } from './prepare-render.ts';
import { preparing, trackProgress } from './progress.ts';
import type { Session } from './session.ts';
import { type RenderHooks, videoOptions } from './video-options.ts';

/**
 * How a piece is encoded so that pieces can be put in a row (remotion.dev/docs/renderer/combine-chunks; it names the formats of sound
 * the wrong way round). AAC is cut at whole packets and needs a margin at both ends; any other sound is joined as samples.
 */
const pieceEncoding = (output: VideoOutput) =>
  cuttableFormat(output) === 'mp4'
    ? ({ codec: 'h264-ts', audioCodec: 'aac', forSeamlessAacConcatenation: true } as const)
    : ({ codec: 'vp9', audioCodec: 'pcm-16', forSeamlessAacConcatenation: false } as const);

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
    ...pieceEncoding(spec.output),
    frameRange: [first, last],
    compositionStart: spec.frameRange[0],
    // Every piece has sound, or the later ones would move up.
    enforceAudioTrack: true,
    numberOfGifLoops: null,
    outputLocation: own.videoPath,
    separateAudioTo: own.audioPath,
  });
  const silent = !(await isAudible(own.audioPath, hooks.cancelSignal));
  await moveFile(own.videoPath, asked.videoPath);
  await moveFile(own.audioPath, asked.audioPath);
  hooks.onProgress(progress.finish());
  return { ...asked, silent, renderTimeMs: Math.round(performance.now() - startedMs) };
};
