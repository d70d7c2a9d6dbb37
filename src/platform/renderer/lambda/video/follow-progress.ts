import type { RenderProgress } from '../../contract.ts';
import { type Progress, trackProgress } from '../../local/child/progress.ts';
import type { RemoteProgress } from './remote-progress.ts';

export interface FollowedProgress {
  follow(progress: RemoteProgress): void;
  finish(): void;
}

/** Tells of a render elsewhere as of one on this machine; what a chunk that begins again takes back is not told. */
export const followProgress = (
  totalFrames: number,
  nowMs: () => number,
  tell: (progress: RenderProgress) => void,
): FollowedProgress => {
  let tracked: Progress | null = null;
  let last = '';
  const tellNews = (progress: RenderProgress): void => {
    const { timeLeftMs: _timeLeftMs, ...news } = progress;
    const said = JSON.stringify(news);
    if (said !== last) tell(progress);
    last = said;
  };
  const begin = (): Progress => {
    const begun = trackProgress(nowMs);
    tellNews(begun.begin(totalFrames));
    return begun;
  };
  return {
    follow: ({ renderMetadata, overallProgress, framesRendered }) => {
      if (renderMetadata === null) return;
      tracked ??= begin();
      tellNews(tracked.advance(overallProgress, framesRendered));
    },
    finish: () => {
      tracked ??= begin();
      tellNews(tracked.finish());
    },
  };
};
