import { describe, expect, it } from 'vitest';
import { RendermillError } from '../../../../../src/core/errors.ts';
import type {
  RenderResult,
  StillOutcome,
  StillsSpec,
} from '../../../../../src/platform/renderer/contract.ts';
import type { StillSpec } from '../../../../../src/platform/renderer/lambda/still/render-still.ts';
import { renderStills } from '../../../../../src/platform/renderer/lambda/still/render-stills.ts';

const result: RenderResult = { width: 2, height: 2, durationSeconds: null, renderTimeMs: 1, cost: 0 };

const specOf = (items: number): StillsSpec => ({
  organizationId: 'organization-a',
  bundlePath: '/bundle',
  bundleVersion: 'abc',
  compositionId: 'picture',
  format: 'png',
  width: 2,
  height: 2,
  maxStillMs: 1_000,
  items: Array.from({ length: items }, (_, frame) => ({
    inputProps: {},
    frame,
    outputPath: `/nowhere/${frame}`,
  })),
});

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** Renders with so many slots, and says how many were in use at most. */
const runWith = async (
  items: number,
  slots: number,
  renderOne: (spec: StillSpec) => Promise<RenderResult> = async () => result,
  options: { atOnce?: number; signal?: AbortSignal } = {},
) => {
  let used = 0;
  let most = 0;
  const outcomes: StillOutcome[] = [];
  const run = renderStills(specOf(items), {
    atOnce: options.atOnce ?? 100,
    signal: options.signal ?? new AbortController().signal,
    onOutcome: (outcome) => outcomes.push(outcome),
    renderOne: async (spec) => {
      await tick();
      if (used >= slots) throw new RendermillError('lambda_throttled');
      used += 1;
      most = Math.max(most, used);
      try {
        await tick();
        return await renderOne(spec);
      } finally {
        used -= 1;
      }
    },
  });
  const error: unknown = await run.then(
    () => null,
    (reason: unknown) => reason,
  );
  return { outcomes, most, error };
};

const codes = (outcomes: readonly StillOutcome[]): readonly string[] =>
  outcomes
    .toSorted((a, b) => a.index - b.index)
    .map((outcome) => (outcome.type === 'failed' ? outcome.error.code : outcome.type));

describe('many stills', () => {
  it.each([
    [7, 3],
    [12, 1],
    [5, 40],
  ])('(%i) are all rendered with %i slots, each told once', async (items, slots) => {
    const { outcomes, error } = await runWith(items, slots);
    expect(error).toBeNull();
    expect(codes(outcomes)).toEqual(Array(items).fill('rendered'));
  });

  it('are never more at once than is allowed', async () => {
    const { most, outcomes } = await runWith(9, 100, undefined, { atOnce: 2 });
    expect([most, outcomes.length]).toEqual([2, 9]);
  });

  it('fail as throttled, all that wait, when there is not one slot', async () => {
    const { outcomes, error } = await runWith(30, 0);
    expect(error).toBeNull();
    expect(codes(outcomes)).toEqual(Array(30).fill('lambda_throttled'));
  });

  it('do not hurt each other', async () => {
    const { outcomes } = await runWith(4, 2, async ({ output }) => {
      if (output.frame === 1) throw new RendermillError('composition_error');
      if (output.frame === 2) throw new TypeError('of ours');
      return result;
    });
    expect(codes(outcomes)).toEqual(['rendered', 'composition_error', 'render_failed', 'rendered']);
  });

  it('end at an abort, and nobody is told of what came after', async () => {
    const abort = new AbortController();
    const { outcomes, error } = await runWith(
      6,
      1,
      async ({ output }) => {
        if (output.frame === 0) abort.abort('canceled');
        return result;
      },
      { signal: abort.signal },
    );
    expect([outcomes.length, error]).toEqual([0, 'canceled']);
  });
});
