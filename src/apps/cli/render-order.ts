/** The options of `render` as the API's request. */

import { extname } from 'node:path';
import type { RenderOrder } from '../../client/types.ts';
import { RendermillError } from '../../core/errors.ts';
import type { RenderMode } from '../../core/exports.ts';
import {
  type ExportKind,
  extensionOf,
  formatsOfKind,
  type OutputFormat,
  stillFormats,
  videoFormats,
} from '../../core/output.ts';
import { readJsonObject } from './read-json.ts';

export interface OrderOptions {
  readonly user: string;
  readonly project: string;
  readonly kind?: ExportKind;
  readonly format?: OutputFormat;
  readonly output?: string;
  readonly compositionVersion?: string;
  readonly width?: number;
  readonly height?: number;
  readonly scale?: number;
  readonly quality?: number;
  readonly frame?: number;
  readonly frames?: [number, number];
  readonly props?: string;
  readonly renderMode?: RenderMode;
}

const allFormats: readonly OutputFormat[] = [...stillFormats, ...videoFormats];

const knownEndings = [...new Set(allFormats.flatMap((format) => [`.${extensionOf(format)}`, `.${format}`]))];

/** Undefined: the name has no ending. */
const formatNamedBy = (output: string): OutputFormat | undefined => {
  const ending = extname(output).toLowerCase();
  if (ending === '') return undefined;
  const named = allFormats.find((format) => ending === `.${format}` || ending === `.${extensionOf(format)}`);
  if (named !== undefined) return named;
  throw new RendermillError('invalid_request', {
    message: `--output ${output}: there is no format for ${ending}. Known endings: ${knownEndings.join(', ')}. Or name a --format.`,
  });
};

/** What was asked for, else what the name of the output says, else a video (one with --frames is) as mp4 and a still as png. */
export const chooseFormat = (
  options: Pick<OrderOptions, 'kind' | 'format' | 'output' | 'frames'>,
): { kind: ExportKind; format: OutputFormat } => {
  const format =
    options.format ??
    formatNamedBy(options.output ?? '') ??
    (options.kind === 'video' || options.frames !== undefined ? 'mp4' : 'png');
  return { kind: options.kind ?? (formatsOfKind('video').includes(format) ? 'video' : 'still'), format };
};

export const toOrder = async (compositionId: string, options: OrderOptions): Promise<RenderOrder> => {
  const { width, height, scale, quality, frame, frames, renderMode } = options;
  return {
    userId: options.user,
    projectId: options.project,
    compositionId,
    ...chooseFormat(options),
    ...(options.compositionVersion === undefined ? {} : { version: options.compositionVersion }),
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(scale === undefined ? {} : { scale }),
    ...(quality === undefined ? {} : { quality }),
    ...(frame === undefined ? {} : { frame }),
    ...(frames === undefined ? {} : { frameRange: frames }),
    ...(renderMode === undefined ? {} : { renderMode }),
    ...(options.props === undefined ? {} : { props: await readJsonObject('--props', options.props) }),
  };
};
