import { rm } from 'node:fs/promises';
import { RendermillError } from '../../../core/errors.ts';
import type { RenderResult, RenderSpec, StillItem, StillOutcome, StillsSpec } from '../contract.ts';
import { fromWire, type WireStillOutcome } from './messages.ts';

/** What the run needs of a renderer. */
export interface StillsWays {
  /** All in one page. Rejects with what ended it; the items that had no outcome by then have none. */
  readonly renderTogether: (
    spec: StillsSpec,
    onOutcome: (outcome: WireStillOutcome) => void,
  ) => Promise<void>;
  readonly renderAlone: (spec: RenderSpec) => Promise<RenderResult>;
}

const asRenderSpec = (
  { items: _items, maxStillMs, format, ...shared }: StillsSpec,
  item: StillItem,
): RenderSpec => ({
  ...shared,
  inputProps: item.inputProps,
  output: { kind: 'still', format, frame: item.frame },
  outputPath: item.outputPath,
  limits: { maxDurationSeconds: null, maxRenderMs: maxStillMs },
});

const asRendermillError = (error: unknown): RendermillError =>
  error instanceof RendermillError ? error : new RendermillError('render_failed', { cause: error });

interface Entry {
  readonly index: number;
  readonly item: StillItem;
}

/** After so many pages in a row that ended before their first picture, the way itself is to blame. */
const maxFruitlessCalls = 2;

/**
 * Renders items together, in as many pages as it takes: the item at which a page gave up fails or is rendered alone, and the rest goes
 * on in a fresh browser. Each round settles at least one item, so it ends.
 */
export const runStills = async (
  spec: StillsSpec,
  ways: StillsWays,
  options: { readonly signal: AbortSignal; readonly onOutcome: (outcome: StillOutcome) => void },
): Promise<void> => {
  const waiting = new Map(spec.items.map((item, index): [number, Entry] => [index, { index, item }]));

  const settle = (outcome: StillOutcome): void => {
    // What a call says after it was given up is too late.
    if (options.signal.aborted || !waiting.delete(outcome.index)) return;
    options.onOutcome(outcome);
  };

  const fail = async ({ index, item }: Entry, error: RendermillError): Promise<void> => {
    await rm(item.outputPath, { force: true });
    settle({ index, type: 'failed', error });
  };

  const alone = async (entry: Entry): Promise<void> => {
    try {
      const result = await ways.renderAlone(asRenderSpec(spec, entry.item));
      settle({ index: entry.index, type: 'rendered', result });
    } catch (error) {
      options.signal.throwIfAborted();
      await fail(entry, asRendermillError(error));
    }
  };

  /** Returns what ended it early, or null. */
  const together = async (entries: readonly Entry[], unsure: Entry[]): Promise<RendermillError | null> => {
    const onOutcome = (outcome: WireStillOutcome): void => {
      const entry = entries[outcome.index];
      if (entry === undefined) return;
      const { index } = entry;
      if (outcome.type === 'unsure') unsure.push(entry);
      else if (outcome.type === 'rendered') settle({ ...outcome, index });
      else settle({ index, type: 'failed', error: fromWire(outcome.error) });
    };
    try {
      await ways.renderTogether({ ...spec, items: entries.map(({ item }) => item) }, onOutcome);
      return null;
    } catch (error) {
      options.signal.throwIfAborted();
      return asRendermillError(error);
    }
  };

  let fruitless = 0;
  while (waiting.size > 0) {
    const entries = [...waiting.values()];
    if (fruitless >= maxFruitlessCalls) {
      for (const entry of entries) await alone(entry);
      return;
    }
    const unsure: Entry[] = [];
    const error = await together(entries, unsure);
    const isFruitless = waiting.size === entries.length && unsure.length === 0;
    fruitless = isFruitless ? fruitless + 1 : 0;
    const guilty = entries.find((entry) => waiting.has(entry.index) && !unsure.includes(entry));
    for (const entry of unsure) await alone(entry);
    if (guilty === undefined) continue;
    // In words that only the item's own render finds, unless the machine is to blame or the page was well before.
    if (error === null || (isFruitless && !error.retryable)) await alone(guilty);
    else await fail(guilty, error);
  }
};

/** After an abort: what nobody was told of is nobody's. */
export const removeUntold = async (spec: StillsSpec, told: ReadonlySet<number>): Promise<void> => {
  const untold = spec.items.filter((_, index) => !told.has(index));
  await Promise.all(untold.map(({ outputPath }) => rm(outputPath, { force: true })));
};
