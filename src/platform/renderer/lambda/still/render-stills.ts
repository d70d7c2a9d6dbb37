import { rm } from 'node:fs/promises';
import { RendermillError } from '../../../../core/errors.ts';
import type { RenderResult, StillItem, StillOutcome, StillsOptions, StillsSpec } from '../../contract.ts';
import type { StillSpec } from './render-still.ts';

export interface StillsRun {
  readonly renderOne: (spec: StillSpec) => Promise<RenderResult>;
  readonly signal: AbortSignal;
  readonly onOutcome: StillsOptions['onOutcome'];
  readonly atOnce: number;
}

const asStillSpec = (
  { items: _items, maxStillMs, format, ...shared }: StillsSpec,
  item: StillItem,
): StillSpec => ({
  ...shared,
  inputProps: item.inputProps,
  output: { kind: 'still', format, frame: item.frame },
  outputPath: item.outputPath,
  urgency: 'batch',
  limits: { maxDurationSeconds: null, maxRenderMs: maxStillMs },
});

interface Entry {
  readonly item: StillItem;
  readonly index: number;
}

const asRendermillError = (error: unknown): RendermillError =>
  error instanceof RendermillError ? error : new RendermillError('render_failed', { cause: error });

/**
 * Each item by a function of its own, as many at once as there are slots. An item for which there is none waits for the next that
 * becomes free; when none is under way, so that none will, it and all that wait fail with `lambda_throttled`.
 */
export const renderStills = async (spec: StillsSpec, run: StillsRun): Promise<void> => {
  const waiting = spec.items.map((item, index): Entry => ({ item, index }));
  const underWay = new Set<Promise<void>>();
  /** Counted apart: a promise leaves `underWay` a little after it has ended. */
  let active = 0;
  let hasRoom = true;

  const settle = (outcome: StillOutcome): void => {
    // After an abort nobody is told of anything any more.
    if (!run.signal.aborted) run.onOutcome(outcome);
  };

  const onFailure = (entry: Entry, error: RendermillError): void => {
    const isThrottled = error.code === 'lambda_throttled';
    hasRoom = !isThrottled;
    if (isThrottled && active > 0) {
      waiting.unshift(entry);
      return;
    }
    const failing = isThrottled ? [entry, ...waiting.splice(0)] : [entry];
    for (const { index } of failing) settle({ index, type: 'failed', error });
  };

  const renderEntry = async (entry: Entry): Promise<void> => {
    const { item, index } = entry;
    try {
      active += 1;
      const result = await run.renderOne(asStillSpec(spec, item)).finally(() => {
        active -= 1;
      });
      hasRoom = true;
      if (run.signal.aborted) await rm(item.outputPath, { force: true });
      settle({ index, type: 'rendered', result });
    } catch (error) {
      onFailure(entry, asRendermillError(error));
    }
  };

  const begin = (entry: Entry): void => {
    const ended = renderEntry(entry).finally(() => underWay.delete(ended));
    underWay.add(ended);
  };

  while (!run.signal.aborted && (waiting.length > 0 || underWay.size > 0)) {
    const next = hasRoom && underWay.size < run.atOnce ? waiting.shift() : undefined;
    if (next !== undefined) begin(next);
    else await Promise.race(underWay);
  }
  await Promise.all(underWay);
  run.signal.throwIfAborted();
};
