import { RendermillError } from '../../core/errors.ts';
import type { StillFormat, VideoFormat } from '../../core/output.ts';
import { reviveDates } from '../../core/revive-dates.ts';
import type { Composition } from '../../domain/compositions/find-compositions.ts';
import type { Export } from '../../domain/exports/export.ts';
import type { ChunkSpec, RenderSpec } from '../../platform/renderer/contract.ts';

export interface RenderTimeLimits {
  /** Wall-clock milliseconds. */
  readonly stillMs: number;
  readonly videoMs: number;
}

/** A video's row as the order for a piece of it. */
export const toVideoSpec = (
  row: Export,
  composition: Composition,
  bundlePath: string,
  timeLimits: RenderTimeLimits,
): Omit<ChunkSpec, 'frames' | 'frameRange' | 'outputBase'> => {
  const {
    outputPath: _path,
    output,
    ...spec
  } = toRenderSpec(row, composition, { bundlePath, outputPath: '' }, timeLimits);
  if (output.kind !== 'video') throw new RendermillError('internal', { cause: 'a still has no chunks' });
  return { ...spec, output };
};

/** An export's row as the renderer's order. */
export const toRenderSpec = (
  row: Export,
  composition: Composition,
  paths: { bundlePath: string; outputPath: string },
  timeLimits: RenderTimeLimits,
): RenderSpec => {
  const { props, frame, frameRange, ...size } = row.request;
  return {
    organizationId: row.organization_id,
    bundlePath: paths.bundlePath,
    bundleVersion: row.version,
    outputPath: paths.outputPath,
    compositionId: row.composition_id,
    inputProps: composition.props_schema === null ? props : reviveDates(props, composition.props_schema),
    ...size,
    output:
      row.kind === 'still'
        ? { kind: 'still', format: row.format as StillFormat, frame: frame ?? 0 }
        : {
            kind: 'video',
            format: row.format as VideoFormat,
            ...(frameRange === undefined ? {} : { frameRange }),
          },
    urgency: row.batch_id === null ? 'interactive' : 'batch',
    ...expectedFrames(row, composition),
    limits: {
      maxDurationSeconds: row.kind === 'video' ? row.max_duration : null,
      maxRenderMs: row.kind === 'still' ? timeLimits.stillMs : timeLimits.videoMs,
    },
  };
};

/** Of a video, as far as its registration tells: calculateMetadata may come to another length. */
const expectedFrames = (row: Export, composition: Composition): { expectedFrames?: number } => {
  if (row.kind === 'still') return { expectedFrames: 1 };
  const { frameRange } = row.request;
  if (frameRange !== undefined) return { expectedFrames: frameRange[1] - frameRange[0] + 1 };
  const frames = composition.duration_in_frames;
  return frames === null ? {} : { expectedFrames: frames };
};
