import { describe, expect, it } from 'vitest';
import type { RenderSpec } from '../../../../src/platform/renderer/contract.ts';
import { crfAt } from '../../../../src/platform/renderer/local/child/encoding.ts';
import { planRender } from '../../../../src/platform/renderer/local/child/plan-render.ts';
import { trackProgress } from '../../../../src/platform/renderer/local/child/progress.ts';
import { tabsPerRender } from '../../../../src/platform/renderer/local/options.ts';

const composition = { width: 1080, height: 1350, fps: 30, durationInFrames: 90 };

const spec = (changes: Partial<RenderSpec>): RenderSpec => ({
  organizationId: 'a',
  bundlePath: '/bundle',
  bundleVersion: 'abc123',
  compositionId: 'ad',
  inputProps: {},
  output: { kind: 'still', format: 'png', frame: 0 },
  limits: { maxDurationSeconds: null, maxRenderMs: 1 },
  outputPath: '/out',
  ...changes,
});

const mp4 = { kind: 'video', format: 'mp4' } as const;

describe('a frame', () => {
  it.each([
    [0, 0],
    [89, 89],
    [-1, 89],
    [-90, 0],
  ])('%i is frame %i of 90', (frame, expected) => {
    expect(planRender(spec({ output: { kind: 'still', format: 'png', frame } }), composition)).toMatchObject({
      frame: expected,
    });
  });

  it.each([90, -91])('%i is refused, naming the valid ones', (frame) => {
    const plan = () => planRender(spec({ output: { kind: 'still', format: 'png', frame } }), composition);
    expect(plan).toThrow(`Frame ${frame} lies outside the composition, which has the frames 0 to 89.`);
  });

  it.each([[[0, 90]], [[-1, 5]], [[7, 6]]] as const)('range %j is refused', ([first, last]) => {
    const output = { ...mp4, frameRange: [first, last] } as const;
    expect(() => planRender(spec({ output }), composition)).toThrow('has the frames 0 to 89');
  });
});

describe('a length', () => {
  const limits = { maxDurationSeconds: 2, maxRenderMs: 1 };
  it('beyond the tier is refused, naming both', () => {
    expect(() => planRender(spec({ output: mp4, limits }), composition)).toThrow(
      "The video is 3 seconds long; the user's tier allows 2.",
    );
  });
  it('is that of the range', () => {
    const output = { ...mp4, frameRange: [30, 89] } as const;
    expect(planRender(spec({ output, limits }), composition)).toMatchObject({
      durationSeconds: 2,
      totalFrames: 60,
    });
  });
  it('does not concern a still', () => {
    expect(planRender(spec({ limits }), composition)).toMatchObject({ kind: 'still' });
  });
});

describe('a size', () => {
  const sizeOf = (changes: Partial<RenderSpec>, own = { width: 101, height: 75 }) => {
    const { layout, pixels } = planRender(spec(changes), { ...composition, ...own });
    return [layout.width, layout.height, pixels.width, pixels.height];
  };
  it.each<[string, Partial<RenderSpec>, number[]]>([
    ['of the composition', {}, [101, 75, 101, 75]],
    ['of the request', { width: 301, height: 251 }, [301, 251, 301, 251]],
    ['is rounded for a still', { scale: 0.5 }, [101, 75, 51, 38]],
    ['is trimmed to even numbers for mp4', { output: mp4 }, [100, 74, 100, 74]],
    ['is trimmed to even numbers after the scale', { output: mp4, scale: 0.5 }, [100, 72, 50, 36]],
    ['may be odd for a gif', { output: { kind: 'video', format: 'gif' } }, [101, 75, 101, 75]],
  ])('%s', (_, changes, expected) => {
    expect(sizeOf(changes)).toEqual(expected);
  });
  it.each<[string, Partial<RenderSpec>, string]>([
    ['an odd one that was asked for', { output: mp4, width: 301 }, 'The nearest is 300.'],
    ['one that no trimming makes whole', { output: mp4, scale: 0.33 }, 'Choose another scale.'],
    ['one too large after the scale', { width: 5000, scale: 2 }, 'at most 8192 along a side'],
    ['one too large in all', { width: 8000, height: 8000 }, '33177600 in all'],
    ['one of no pixels', { width: 1, scale: 0.1 }, 'at least 1 x 1 is needed'],
  ])('%s is refused', (_, changes, text) => {
    expect(() => sizeOf(changes)).toThrow(text);
  });
});

it.each([
  ['h264', 80, 18],
  ['h264', 1, 40],
  ['h264', 100, 12],
  ['vp9', 80, 28],
  ['vp9', 1, 55],
  ['gif', 80, null],
] as const)('quality for %s at %i is crf %s', (codec, quality, crf) => {
  expect(crfAt(codec, quality)).toBe(crf);
});

it('thins out a gif that is faster than a gif can be', () => {
  const plan = planRender(spec({ output: { kind: 'video', format: 'gif' } }), { ...composition, fps: 60 });
  expect(plan).toMatchObject({ everyNthFrame: 2, totalFrames: 45, durationSeconds: 1.5 });
});

it.each([
  [1, 8, 8],
  [3, 8, 2],
  [4, 2, 1],
])('%i slots on %i cores get %i tabs each', (slots, cores, tabs) => {
  expect(tabsPerRender(slots, cores)).toBe(tabs);
});

it('tells progress that never falls, and guesses the rest from the time that passed', () => {
  let nowMs = 0;
  const progress = trackProgress(() => nowMs);
  expect(progress.begin(100)).toMatchObject({ stage: 'rendering', percent: 0, timeLeftMs: null });
  nowMs = 1_000;
  expect(progress.advance(0.25, 30)).toMatchObject({ percent: 25, renderedFrames: 30, timeLeftMs: 3_000 });
  expect(progress.advance(0.2, 20)).toMatchObject({ percent: 25, renderedFrames: 30 });
  expect(progress.advance(1, 100)).toMatchObject({ stage: 'encoding', percent: 99 });
  expect(progress.finish()).toMatchObject({ percent: 100, renderedFrames: 100, timeLeftMs: 0 });
});
