import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderMedia, renderStill, selectComposition } from '@remotion/renderer';
import { extensionOf } from '../../../../core/output.ts';
import type { RenderProgress, RenderResult, RenderSpec } from '../../contract.ts';
import type { ChildSettings } from '../messages.ts';
import { moveFile } from './move-file.ts';
import { planRender, type StillPlan, type VideoPlan } from './plan-render.ts';
import { type Progress, preparing, trackProgress } from './progress.ts';
import { type CallHooks, commonOptions, onDownload } from './remotion-options.ts';
import type { Session } from './session.ts';

export interface RenderHooks extends CallHooks {
  readonly onProgress: (progress: RenderProgress) => void;
}

type Composition = Awaited<ReturnType<typeof selectComposition>>;

interface Job {
  readonly common: ReturnType<typeof commonOptions>;
  readonly composition: Composition;
  readonly scale: number;
  readonly file: string;
  readonly tabs: number;
  readonly hooks: RenderHooks;
  readonly progress: Progress;
}

const still = async (plan: StillPlan, job: Job): Promise<void> => {
  const { common, composition, scale, file, hooks, progress } = job;
  hooks.onProgress(progress.begin(1));
  await renderStill({
    ...common,
    composition,
    scale,
    output: file,
    frame: plan.frame,
    imageFormat: plan.format,
    ...(plan.jpegQuality === null ? {} : { jpegQuality: plan.jpegQuality }),
    cancelSignal: hooks.cancelSignal,
    onDownload: (source) => onDownload(source, hooks),
  });
};

const video = async (plan: VideoPlan, job: Job): Promise<void> => {
  const { common, composition, scale, file, tabs, hooks, progress } = job;
  hooks.onProgress(progress.begin(plan.totalFrames));
  await renderMedia({
    ...common,
    composition,
    scale,
    outputLocation: file,
    codec: plan.codec,
    crf: plan.crf,
    jpegQuality: plan.jpegQuality,
    frameRange: [...plan.frameRange],
    everyNthFrame: plan.everyNthFrame,
    concurrency: tabs,
    // At SSIM 0.997 and equal size a third less CPU than x264's default.
    ...(plan.codec === 'h264' ? { x264Preset: 'veryfast' as const } : {}),
    cancelSignal: hooks.cancelSignal,
    onDownload: (source) => onDownload(source, hooks),
    onProgress: (now) => hooks.onProgress(progress.advance(now.progress, now.renderedFrames)),
  });
};

/** Selects, plans, renders into this process's own folder and then moves the file to where it was asked for. */
export const renderComposition = async (
  session: Session,
  spec: RenderSpec,
  settings: ChildSettings,
  hooks: RenderHooks,
): Promise<RenderResult> => {
  const startedMs = performance.now();
  hooks.onProgress(preparing);
  const common = commonOptions(session, spec, settings, hooks);
  const selected = await selectComposition({ ...common, id: spec.compositionId });
  const plan = planRender(spec, selected);
  const job: Job = {
    common,
    composition: { ...selected, ...plan.layout },
    scale: spec.scale ?? 1,
    file: join(tmpdir(), `output.${extensionOf(spec.output.format)}`),
    tabs: settings.tabs,
    hooks,
    progress: trackProgress(() => performance.now()),
  };
  await (plan.kind === 'still' ? still(plan, job) : video(plan, job));
  await moveFile(job.file, spec.outputPath);
  hooks.onProgress(job.progress.finish());
  return {
    ...plan.pixels,
    durationSeconds: plan.kind === 'still' ? null : plan.durationSeconds,
    renderTimeMs: Math.round(performance.now() - startedMs),
    cost: null,
  };
};
