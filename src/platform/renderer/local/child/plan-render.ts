import { RendermillError } from '../../../../core/errors.ts';
import type { RenderSpec, StillOutput, VideoOutput } from '../../contract.ts';
import { codecs, crfAt, defaultQuality, everyNthFrame, type VideoCodec } from './encoding.ts';
import { fitSize, type Size } from './fit-size.ts';

type RenderRequest = Omit<RenderSpec, 'outputPath'>;

/** What planning needs of a composition after its calculateMetadata. */
export interface ResolvedComposition extends Size {
  readonly fps: number;
  readonly durationInFrames: number;
}

export interface StillPlan {
  readonly kind: 'still';
  readonly layout: Size;
  readonly pixels: Size;
  readonly format: StillOutput['format'];
  readonly frame: number;
  /** Null for png and webp: Remotion passes a quality on for jpeg only. */
  readonly jpegQuality: number | null;
}

export interface VideoPlan {
  readonly kind: 'video';
  readonly layout: Size;
  readonly pixels: Size;
  readonly codec: VideoCodec;
  readonly frameRange: readonly [number, number];
  readonly everyNthFrame: number;
  readonly totalFrames: number;
  /** Seconds of footage. */
  readonly durationSeconds: number;
  readonly jpegQuality: number;
  readonly crf: number | null;
}

const frameError = (what: string, frame: unknown, durationInFrames: number): RendermillError =>
  new RendermillError('frame_out_of_range', {
    message: `${what} lies outside the composition, which has the frames 0 to ${durationInFrames - 1}.`,
    details: { frame, firstFrame: 0, lastFrame: durationInFrames - 1 },
  });

const resolveFrame = (frame: number, durationInFrames: number): number => {
  const resolved = frame < 0 ? durationInFrames + frame : frame;
  if (resolved < 0 || resolved >= durationInFrames) {
    throw frameError(`Frame ${frame}`, frame, durationInFrames);
  }
  return resolved;
};

const resolveRange = (output: VideoOutput, durationInFrames: number): readonly [number, number] => {
  const [first, last] = output.frameRange ?? [0, durationInFrames - 1];
  if (first < 0 || last >= durationInFrames || first > last) {
    throw frameError(`The range ${first} to ${last}`, [first, last], durationInFrames);
  }
  return [first, last];
};

const checkDuration = (durationSeconds: number, maxDurationSeconds: number | null): void => {
  if (maxDurationSeconds === null || durationSeconds <= maxDurationSeconds) return;
  throw new RendermillError('duration_exceeds_tier', {
    message: `The video is ${durationSeconds} seconds long; the user's tier allows ${maxDurationSeconds}.`,
    details: { durationSeconds, maxDurationSeconds },
  });
};

const sizesOf = (spec: RenderRequest, composition: ResolvedComposition) =>
  fitSize({
    own: composition,
    asked: {
      ...(spec.width === undefined ? {} : { width: spec.width }),
      ...(spec.height === undefined ? {} : { height: spec.height }),
    },
    scale: spec.scale ?? 1,
    format: spec.output.format,
  });

const planStill = (
  output: StillOutput,
  spec: RenderRequest,
  composition: ResolvedComposition,
): StillPlan => ({
  kind: 'still',
  ...sizesOf(spec, composition),
  format: output.format,
  frame: resolveFrame(output.frame, composition.durationInFrames),
  jpegQuality: output.format === 'jpeg' ? (spec.quality ?? defaultQuality) : null,
});

const planVideo = (output: VideoOutput, spec: RenderRequest, composition: ResolvedComposition): VideoPlan => {
  const codec = codecs[output.format];
  const frameRange = resolveRange(output, composition.durationInFrames);
  const frames = frameRange[1] - frameRange[0] + 1;
  const durationSeconds = frames / composition.fps;
  checkDuration(durationSeconds, spec.limits.maxDurationSeconds);
  const step = everyNthFrame(codec, composition.fps);
  const quality = spec.quality ?? defaultQuality;
  return {
    kind: 'video',
    ...sizesOf(spec, composition),
    codec,
    frameRange,
    everyNthFrame: step,
    totalFrames: Math.ceil(frames / step),
    durationSeconds,
    jpegQuality: quality,
    crf: crfAt(codec, quality),
  };
};

/** Throws what only the resolved composition can tell: a frame, a length or a size that cannot be. */
export const planRender = (spec: RenderRequest, composition: ResolvedComposition): StillPlan | VideoPlan =>
  spec.output.kind === 'still'
    ? planStill(spec.output, spec, composition)
    : planVideo(spec.output, spec, composition);
