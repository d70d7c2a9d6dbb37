/** What a frame costs, from what earlier ones cost, some of them on a machine that had other work. */

export interface RenderedVideo {
  /** Milliseconds of rendering, of all chunks together where it was cut. */
  readonly renderMs: number;
  readonly frames: number;
  /** Pixels of a frame, in millions. */
  readonly megapixels: number;
}

/** Measured on two cores, with one slot: 45 ms for 1080 × 1080, 65 ms for 1920 × 1080. */
const msBeside = 20;
const msPerMegapixel = 22;

/** Milliseconds that a frame of this size usually takes one slot. */
export const usualFrameMs = (megapixels: number): number => msBeside + msPerMegapixel * megapixels;

/**
 * Milliseconds that one slot needs for a frame of so many megapixels: as much more or less than usual as in the middle of the videos
 * that were rendered, each counting by its frames. The middle and not the mean: time on the wall grows when a machine is busy, and one
 * video that took ten times as long must not make all that follow look dear. By frames, because of a short one most is the start.
 */
export const frameCost = (rendered: readonly RenderedVideo[], megapixels: number): number => {
  const known = rendered
    .filter(({ renderMs, frames }) => renderMs > 0 && frames > 0)
    .map((one) => ({
      ratio: one.renderMs / (one.frames * usualFrameMs(one.megapixels)),
      frames: one.frames,
    }))
    .toSorted((a, b) => a.ratio - b.ratio);
  const half = known.reduce((sum, { frames }) => sum + frames, 0) / 2;
  let passed = 0;
  for (const { ratio, frames } of known) {
    passed += frames;
    if (passed >= half) return ratio * usualFrameMs(megapixels);
  }
  return usualFrameMs(megapixels);
};
