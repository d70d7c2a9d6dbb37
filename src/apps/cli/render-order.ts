/** The options of `render` as the API's request. */

import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { RenderOrder } from '../../client/types.ts';
import { RendermillError } from '../../core/errors.ts';
import {
  type ExportKind,
  extensionOf,
  formatsOfKind,
  type OutputFormat,
  stillFormats,
  videoFormats,
} from '../../core/output.ts';

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
}

const allFormats: readonly OutputFormat[] = [...stillFormats, ...videoFormats];

/** What was asked for, else what the name of the output says, else a video (one with --frames is) as mp4 and a still as png. */
export const chooseFormat = (
  options: Pick<OrderOptions, 'kind' | 'format' | 'output' | 'frames'>,
): { kind: ExportKind; format: OutputFormat } => {
  const extension = extname(options.output ?? '')
    .slice(1)
    .toLowerCase();
  const named = allFormats.find((format) => format === extension || extensionOf(format) === extension);
  const format =
    options.format ?? named ?? (options.kind === 'video' || options.frames !== undefined ? 'mp4' : 'png');
  return { kind: options.kind ?? (formatsOfKind('video').includes(format) ? 'video' : 'still'), format };
};

const invalidProps = (message: string, cause?: unknown) =>
  new RendermillError('invalid_request', { message, cause });

/** JSON, or the name of a file of JSON behind an @. */
export const readProps = async (text: string): Promise<Record<string, unknown>> => {
  const file = text.startsWith('@') ? text.slice(1) : undefined;
  const json =
    file === undefined
      ? text
      : await readFile(file, 'utf8').catch((cause: Error) => {
          throw invalidProps(`--props: ${file} cannot be read: ${cause.message}.`, cause);
        });
  const props = parse(json, file ?? 'its value');
  if (typeof props === 'object' && props !== null && !Array.isArray(props))
    return props as Record<string, unknown>;
  throw invalidProps(`--props: ${file ?? 'its value'} is not a JSON object such as {"title":"Hello"}.`);
};

const parse = (json: string, where: string): unknown => {
  try {
    return JSON.parse(json);
  } catch (cause) {
    throw invalidProps(`--props: ${where} is not JSON: ${(cause as Error).message}.`, cause);
  }
};

export const toOrder = async (compositionId: string, options: OrderOptions): Promise<RenderOrder> => {
  const { width, height, scale, quality, frame, frames } = options;
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
    ...(options.props === undefined ? {} : { props: await readProps(options.props) }),
  };
};
