import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ErrorCode, RendermillError } from '../../../../src/core/errors.ts';
import type {
  RenderResult,
  RenderSpec,
  StillOutcome,
  StillsSpec,
} from '../../../../src/platform/renderer/contract.ts';
import type { Bench, Workshop } from './support.ts';

export interface StillsOrder extends Partial<Omit<StillsSpec, 'items'>> {
  readonly compositionId: string;
  readonly items: readonly { readonly inputProps?: Record<string, unknown>; readonly frame?: number }[];
}

let orders = 0;

/** Where a spec's outputs lie tells the orders apart. */
export const stillsSpecOf = (workshop: Workshop, order: StillsOrder): StillsSpec => {
  const name = `order-${++orders}`;
  return {
    organizationId: 'organization-a',
    bundlePath: workshop.bundlePath,
    bundleVersion: 'abc123',
    format: 'png',
    width: 320,
    height: 180,
    maxStillMs: 60_000,
    ...order,
    items: order.items.map(({ inputProps = {}, frame = 0 }, index) => ({
      inputProps,
      frame,
      outputPath: join(workshop.outputs, `${name}-${index}`),
    })),
  };
};

/** One of the items as an order of its own. */
export const aloneOf = ({ items, maxStillMs, format, ...shared }: StillsSpec, index: number): RenderSpec => {
  const item = items[index];
  if (item === undefined) throw new Error(`There is no item ${index}.`);
  return {
    ...shared,
    inputProps: item.inputProps,
    output: { kind: 'still', format, frame: item.frame },
    limits: { maxDurationSeconds: null, maxRenderMs: maxStillMs },
    outputPath: `${item.outputPath}-alone`,
  };
};

/** Pixels and hash of a picture's file, or the code and message of its failure. */
export type Seen = `${number}x${number} ${string}` | `${ErrorCode}: ${string}`;

const take = async ({ width, height }: RenderResult, path: string): Promise<Seen> => {
  const bytes = await readFile(path);
  await rm(path);
  return `${width}x${height} ${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}`;
};

const failed = ({ code, message }: RendermillError): Seen => `${code}: ${message}`;

/** By item; what never had an outcome is undefined. */
export const renderTogether = async (
  { renderer }: Bench,
  spec: StillsSpec,
  onOutcome: (outcome: StillOutcome) => void = () => undefined,
): Promise<readonly (Seen | undefined)[]> => {
  const outcomes: StillOutcome[] = [];
  await renderer.renderStills(spec, {
    onOutcome: (outcome) => {
      outcomes.push(outcome);
      onOutcome(outcome);
    },
  });
  const indexes = outcomes.map(({ index }) => index);
  if (new Set(indexes).size !== indexes.length) throw new Error('An item had two outcomes.');
  return Promise.all(
    spec.items.map(async ({ outputPath }, index): Promise<Seen | undefined> => {
      const outcome = outcomes.find((one) => one.index === index);
      if (outcome?.type === 'failed') return failed(outcome.error);
      return outcome === undefined ? undefined : take(outcome.result, outputPath);
    }),
  );
};

export const renderAlone = async ({ renderer }: Bench, spec: RenderSpec): Promise<Seen> => {
  try {
    return await take(await renderer.render(spec), spec.outputPath);
  } catch (error) {
    if (error instanceof RendermillError) return failed(error);
    throw error;
  }
};
