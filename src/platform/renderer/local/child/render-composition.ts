import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderMedia, renderStill } from '@remotion/renderer';
import { extensionOf } from '../../../../core/output.ts';
import type { RenderResult, RenderSpec } from '../../contract.ts';
import type { ChildSettings } from '../messages.ts';
import { moveFile } from './move-file.ts';
import type { StillPlan, VideoPlan } from './plan-render.ts';
import { prepareRender } from './prepare-render.ts';
import { preparing, trackProgress } from './progress.ts';
import { onDownload } from './remotion-options.ts';
import type { Session } from './session.ts';
import { type RenderHooks, type VideoJob, videoOptions } from './video-options.ts';

interface Job extends VideoJob {
  readonly file: string;
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
  job.hooks.onProgress(job.progress.begin(plan.totalFrames));
  await renderMedia({
    ...videoOptions(plan, job),
    codec: plan.codec,
    frameRange: [...plan.frameRange],
    outputLocation: job.file,
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
  const { plan, ...prepared } = await prepareRender(session, spec, settings, hooks);
  const job: Job = {
    ...prepared,
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
