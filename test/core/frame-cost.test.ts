import { describe, expect, test } from 'vitest';
import { frameCost, type RenderedVideo, usualFrameMs } from '../../src/core/frame-cost.ts';

const usual = usualFrameMs(1);
/** A video of one megapixel that took so many times what is usual. */
const video = (times: number, frames = 300): RenderedVideo => ({
  renderMs: times * usual * frames,
  frames,
  megapixels: 1,
});

describe('what a frame costs', () => {
  test.each([
    ['nothing was rendered yet', [], 1],
    ['one was', [video(2)], 2],
    ['one of five on a busy machine', [video(1), video(1), video(10), video(1), video(1)], 1],
    ['two of five on a busy machine', [video(1), video(8), video(10), video(1), video(1)], 1],
    ['most on a busy machine: that is how it is here', [video(1), video(8), video(8), video(8)], 8],
    [
      'many short ones, of which most is the start',
      [video(9, 10), video(9, 10), video(9, 10), video(2, 300)],
      2,
    ],
    ['what cannot be: no time, no frames', [video(0), video(5, 0), video(3)], 3],
  ] satisfies [string, RenderedVideo[], number][])('%s', (_what, rendered, times) => {
    expect(frameCost(rendered, 1)).toBeCloseTo(times * usual);
  });

  test('is carried over to pictures of another size', () => {
    expect(frameCost([video(2)], 2)).toBeCloseTo(2 * usualFrameMs(2));
  });

  test('does not depend on the order', () => {
    const some = [video(3, 100), video(1, 250), video(7, 50), video(2, 120)];
    expect(frameCost(some.toReversed(), 1)).toBe(frameCost(some, 1));
  });
});
