import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RendermillError } from '../../src/core/errors.ts';
import { maxPixels, maxSide } from '../../src/core/output.ts';
import { assertWithinTier, type CompositionShape, planOutput } from '../../src/core/plan-output.ts';
import { defaultTiers } from '../../src/core/tiers.ts';

const shape: CompositionShape = {
  id: 'ad',
  width: 1080,
  height: 1920,
  fps: 30,
  durationInFrames: 300,
  hasCalculateMetadata: false,
};
const computed: CompositionShape = { ...shape, hasCalculateMetadata: true };
const unknown: CompositionShape = { ...shape, width: null, height: null, fps: null, durationInFrames: null };
const still = { kind: 'still' } as const;
const video = { kind: 'video' } as const;

const codeOf = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return error instanceof RendermillError ? error.code : String(error);
  }
};

describe('the planned output', () => {
  test.each([
    ['a still has the size of the composition and no length', still, shape, [1080, 1920, null]],
    ['a video has its length in seconds', video, shape, [1080, 1920, 10]],
    ['a size that was asked for wins', { ...still, width: 100, height: 200 }, shape, [100, 200, null]],
    ['scale multiplies the pixels', { ...still, scale: 2 }, shape, [2160, 3840, null]],
    ['scale multiplies what was asked for', { ...still, width: 100, scale: 0.5 }, shape, [50, 960, null]],
    ['pixels are whole', { ...still, width: 101, height: 101, scale: 0.5 }, shape, [51, 51, null]],
    [
      'a frame range counts both its ends',
      { ...video, frameRange: [0, 29] as [number, number] },
      shape,
      [1080, 1920, 1],
    ],
    [
      'one frame is one frame',
      { ...video, frameRange: [5, 5] as [number, number] },
      shape,
      [1080, 1920, 1 / 30],
    ],
    ['what is computed is not known yet', video, computed, [null, null, null]],
    ['what was asked for is known even then', { ...video, width: 640 }, computed, [640, null, null]],
    ['what is not registered is not known', video, unknown, [null, null, null]],
  ])('%s', (_name, asked, of, [width, height, durationSeconds]) => {
    expect(planOutput(asked, of)).toEqual({ width, height, durationSeconds });
  });

  test.each([
    ['the first frame', { ...still, frame: 0 }, 'none'],
    ['the last frame', { ...still, frame: 299 }, 'none'],
    ['the last frame, from the end', { ...still, frame: -1 }, 'none'],
    ['the first frame, from the end', { ...still, frame: -300 }, 'none'],
    ['a frame past the end', { ...still, frame: 300 }, 'frame_out_of_range'],
    ['a frame before the start', { ...still, frame: -301 }, 'frame_out_of_range'],
    ['a range to the last frame', { ...video, frameRange: [0, 299] as [number, number] }, 'none'],
    ['a range past the end', { ...video, frameRange: [0, 300] as [number, number] }, 'frame_out_of_range'],
    ['a side as long as is possible', { ...still, width: maxSide, height: 1 }, 'none'],
    [
      'a side that scale makes too long',
      { ...still, width: maxSide, height: 1, scale: 1.1 },
      'invalid_dimensions',
    ],
    ['a side that scale makes nothing', { ...still, width: 1, height: 1, scale: 0.1 }, 'invalid_dimensions'],
    ['too many pixels with legal sides', { ...still, width: 8000, height: 8000 }, 'invalid_dimensions'],
  ])('%s: %#', (_name, asked, code) => {
    expect(codeOf(() => planOutput(asked, shape))).toBe(code);
  });

  test('a frame is not judged where the composition computes its length', () => {
    expect(codeOf(() => planOutput({ ...still, frame: 5000 }, computed))).toBe('none');
  });

  test('a length of no known composition refuses nothing', () => {
    expect(codeOf(() => planOutput({ ...still, frame: 5000 }, unknown))).toBe('none');
  });

  const side = fc.option(fc.integer({ min: 1, max: maxSide }), { nil: undefined });
  const scale = fc.option(fc.double({ min: 0.1, max: 8, noNaN: true }), { nil: undefined });

  test('for any size and scale: it is refused, or its pixels are whole and within the limits', () => {
    fc.assert(
      fc.property(side, side, scale, (width, height, factor) => {
        const asked = {
          ...still,
          ...(width === undefined ? {} : { width }),
          ...(height === undefined ? {} : { height }),
          ...(factor === undefined ? {} : { scale: factor }),
        };
        if (codeOf(() => planOutput(asked, shape)) === 'invalid_dimensions') return;
        const planned = planOutput(asked, shape);
        for (const pixels of [planned.width, planned.height]) {
          expect(Number.isInteger(pixels)).toBe(true);
          expect(pixels).toBeGreaterThanOrEqual(1);
          expect(pixels).toBeLessThanOrEqual(maxSide);
        }
        expect((planned.width ?? 0) * (planned.height ?? 0)).toBeLessThanOrEqual(maxPixels);
      }),
    );
  });

  test('for any frame range inside the composition: it is never longer than the composition', () => {
    const range = fc.tuple(fc.integer({ min: 0, max: 299 }), fc.integer({ min: 0, max: 299 }));
    fc.assert(
      fc.property(range, ([a, b]) => {
        const frameRange: [number, number] = a < b ? [a, b] : [b, a];
        const { durationSeconds } = planOutput({ ...video, frameRange }, shape);
        expect(durationSeconds).toBeGreaterThan(0);
        expect(durationSeconds).toBeLessThanOrEqual(10);
      }),
    );
  });
});

describe('the tier', () => {
  const planned = { width: 1080, height: 1080, durationSeconds: null };

  test.each([
    ['a still has no length to refuse', { ...planned }, 'free', 'none'],
    ['exactly the allowed length passes', { ...planned, durationSeconds: 30 }, 'free', 'none'],
    [
      'a frame more is refused',
      { ...planned, durationSeconds: 30 + 1 / 30 },
      'free',
      'duration_exceeds_tier',
    ],
    ['unlimited takes any length', { ...planned, durationSeconds: 36_000 }, 'unlimited', 'none'],
    [
      'an unknown size is left to the worker',
      { width: null, height: 9000, durationSeconds: null },
      'free',
      'none',
    ],
  ] as const)('%s', (_name, output, tier, code) => {
    expect(codeOf(() => assertWithinTier(output, tier, defaultTiers[tier]))).toBe(code);
  });

  test('refuses pixels with both numbers', () => {
    const small = { ...defaultTiers.free, maxPixels: 1_000_000 };
    expect(() => assertWithinTier(planned, 'free', small)).toThrow(
      /1080 × 1080 are 1166400 pixels; tier free allows 1000000/,
    );
  });

  test('refuses a length with both lengths, for a reader and for a program', () => {
    try {
      assertWithinTier({ ...planned, durationSeconds: 45 }, 'free', defaultTiers.free);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'duration_exceeds_tier',
        message: 'The video has 45 s; tier free allows 30 s.',
        details: { durationSeconds: 45, maxDurationSeconds: 30, tier: 'free' },
      });
    }
  });
});
