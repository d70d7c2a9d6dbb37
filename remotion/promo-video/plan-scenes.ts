export type Span = { from: number; durationInFrames: number };

export const PROMO_FPS = 30;

const SECONDS_PER_SCENE = 4 / 3;
const SECONDS_OF_OUTRO = 2;

/** Frames of a promo video: as long as asked for, else as long as its scenes need. */
export function promoDurationInFrames(
  scenes: number,
  fps: number,
  durationInSeconds: number | undefined,
): number {
  return Math.round((durationInSeconds ?? scenes * SECONDS_PER_SCENE + SECONDS_OF_OUTRO) * fps);
}

/**
 * Cuts the video into headline scenes of equal length (to a frame) and an outro of a third, at most three seconds.
 * The spans follow each other without gap or overlap and end with the last frame.
 */
export function planScenes(totalFrames: number, fps: number, count: number): { scenes: Span[]; outro: Span } {
  const outroFrames = Math.min(Math.round(totalFrames / 3), 3 * fps);
  const sceneFrames = totalFrames - outroFrames;
  const start = (index: number) => Math.round((index * sceneFrames) / count);
  const scenes = Array.from({ length: count }, (_, i) => ({
    from: start(i),
    durationInFrames: start(i + 1) - start(i),
  }));
  return { scenes, outro: { from: sceneFrames, durationInFrames: outroFrames } };
}
