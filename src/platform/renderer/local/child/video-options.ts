import type { RenderProgress } from '../../contract.ts';
import { encoderOptions } from './encoding.ts';
import type { VideoPlan } from './plan-render.ts';
import type { PreparedRender } from './prepare-render.ts';
import type { Progress } from './progress.ts';
import { type CallHooks, onDownload } from './remotion-options.ts';

export interface RenderHooks extends CallHooks {
  readonly onProgress: (progress: RenderProgress) => void;
}

export interface VideoJob extends Omit<PreparedRender, 'plan'> {
  /** Browser tabs. */
  readonly tabs: number;
  readonly hooks: RenderHooks;
  readonly progress: Progress;
}

/** What a video looks like: the same for a whole one and for every chunk of it, or they would not fit together. */
export const videoOptions = (plan: VideoPlan, job: VideoJob) => ({
  ...job.common,
  composition: job.composition,
  scale: job.scale,
  crf: plan.crf,
  jpegQuality: plan.jpegQuality,
  everyNthFrame: plan.everyNthFrame,
  concurrency: job.tabs,
  ...encoderOptions(plan.codec),
  cancelSignal: job.hooks.cancelSignal,
  onDownload: (source: string) => onDownload(source, job.hooks),
  onProgress: (now: { readonly progress: number; readonly renderedFrames: number }) =>
    job.hooks.onProgress(job.progress.advance(now.progress, now.renderedFrames)),
});
