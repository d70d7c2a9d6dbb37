/** What an accepted request will make, as far as that can be told before the composition runs. */
import { RendermillError } from './errors.ts';
import { maxPixels, maxSide } from './output.ts';
import type { RenderRequest } from './render-request.ts';
import type { Tier } from './tiers.ts';

export interface CompositionShape {
  readonly id: string;
  readonly width: number | null;
  readonly height: number | null;
  readonly fps: number | null;
  readonly durationInFrames: number | null;
  /** Then size and length above are defaults that the composition may change for these props. */
  readonly hasCalculateMetadata: boolean;
}

export interface PlannedOutput {
  /** Pixels of the file; null: only the composition itself can tell. */
  readonly width: number | null;
  readonly height: number | null;
  /** Seconds of footage; null for a still, and where only the composition itself can tell. */
  readonly durationSeconds: number | null;
}

type Asked = Pick<RenderRequest, 'kind' | 'width' | 'height' | 'scale' | 'frame' | 'frameRange'>;

const plannedSide = (
  asked: number | undefined,
  own: number | null,
  computed: boolean,
  scale: number,
): number | null => {
  const side = asked ?? (computed ? null : own);
  return side === null ? null : Math.round(side * scale);
};

const assertFrameExists = (asked: Asked, frames: number) => {
  const wanted = asked.kind === 'still' ? [asked.frame ?? 0] : (asked.frameRange ?? []);
  const outside = wanted.find((frame) => frame >= frames || frame < (asked.kind === 'still' ? -frames : 0));
  if (outside === undefined) return;
  throw new RendermillError('frame_out_of_range', {
    message: `Frame ${outside} does not exist: the composition has ${frames} frames, 0 to ${frames - 1}.`,
    details: { frame: outside, durationInFrames: frames },
  });
};

const plannedSeconds = (asked: Asked, shape: CompositionShape): number | null => {
  if (asked.kind === 'still' || shape.fps === null) return null;
  if (asked.frameRange) return (asked.frameRange[1] - asked.frameRange[0] + 1) / shape.fps;
  return shape.hasCalculateMetadata || shape.durationInFrames === null
    ? null
    : shape.durationInFrames / shape.fps;
};

/** Throws `frame_out_of_range` and `invalid_dimensions` for what can never be rendered, whatever the tier. */
export const planOutput = (asked: Asked, shape: CompositionShape): PlannedOutput => {
  const scale = asked.scale ?? 1;
  const width = plannedSide(asked.width, shape.width, shape.hasCalculateMetadata, scale);
  const height = plannedSide(asked.height, shape.height, shape.hasCalculateMetadata, scale);
  const tooLong = [width, height].find((side) => side !== null && (side > maxSide || side < 1));
  if (tooLong !== undefined || (width !== null && height !== null && width * height > maxPixels)) {
    throw new RendermillError('invalid_dimensions', {
      message: `${width ?? '?'} × ${height ?? '?'} pixels cannot be rendered: a side has 1 to ${maxSide} pixels, a picture at most ${maxPixels}.`,
      details: { width, height, maxSide, maxPixels },
    });
  }
  if (shape.durationInFrames !== null && !shape.hasCalculateMetadata)
    assertFrameExists(asked, shape.durationInFrames);
  return { width, height, durationSeconds: plannedSeconds(asked, shape) };
};

/** Throws what the user's tier does not allow; what is not known yet is held by the worker once it is. */
export const assertWithinTier = (planned: PlannedOutput, tierName: string, tier: Tier): void => {
  const { durationSeconds, width, height } = planned;
  if (
    durationSeconds !== null &&
    tier.maxDurationSeconds !== null &&
    durationSeconds > tier.maxDurationSeconds
  ) {
    throw new RendermillError('duration_exceeds_tier', {
      message: `The video has ${durationSeconds} s; tier ${tierName} allows ${tier.maxDurationSeconds} s.`,
      details: { durationSeconds, maxDurationSeconds: tier.maxDurationSeconds, tier: tierName },
    });
  }
  if (width !== null && height !== null && width * height > tier.maxPixels) {
    throw new RendermillError('size_exceeds_tier', {
      message: `${width} × ${height} are ${width * height} pixels; tier ${tierName} allows ${tier.maxPixels}.`,
      details: { width, height, maxPixels: tier.maxPixels, tier: tierName },
    });
  }
};
