import type { RenderProgress } from '../../contract.ts';

/** Before this share is done, the first slow frames would make a wild guess of the rest. */
const estimableShare = 0.05;
/** The last percent is the file lying where it should. */
const maxBeforeDone = 99;

export interface Progress {
  /** From now on frames are rendered; time is counted from here. */
  begin(totalFrames: number): RenderProgress;
  /** `share` 0 to 1 of rendering and encoding together; `renderedFrames` so far. */
  advance(share: number, renderedFrames: number): RenderProgress;
  finish(): RenderProgress;
}

const nothing: RenderProgress = {
  stage: 'preparing',
  percent: 0,
  renderedFrames: 0,
  totalFrames: 0,
  timeLeftMs: null,
};

export const preparing = nothing;

/** Turns what Remotion tells, which may repeat itself, into progress that never falls. */
export const trackProgress = (nowMs: () => number): Progress => {
  let last = nothing;
  let beganMs = nowMs();
  const timeLeftMs = (share: number): number | null =>
    share < estimableShare ? null : Math.round(((nowMs() - beganMs) * (1 - share)) / share);
  const set = (next: RenderProgress): RenderProgress => {
    last = {
      ...next,
      percent: Math.max(last.percent, next.percent),
      renderedFrames: Math.max(last.renderedFrames, next.renderedFrames),
    };
    return last;
  };
  return {
    begin: (totalFrames) => {
      beganMs = nowMs();
      return set({ ...nothing, stage: 'rendering', totalFrames });
    },
    advance: (share, renderedFrames) =>
      set({
        stage: renderedFrames >= last.totalFrames ? 'encoding' : 'rendering',
        percent: Math.min(maxBeforeDone, Math.round(share * 100)),
        renderedFrames,
        totalFrames: last.totalFrames,
        timeLeftMs: timeLeftMs(share),
      }),
    finish: () =>
      set({ ...last, stage: 'encoding', percent: 100, renderedFrames: last.totalFrames, timeLeftMs: 0 }),
  };
};
