/**
 * One attempt at one export: claim it, render, store, complete. Everything that this changes names the fence, so an attempt that
 * lost its export to another worker ends without a trace.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extensionOf } from '../../core/output.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import { saveRemoteRender } from '../../domain/exports/remote-render.ts';
import type { RenderResult, RenderSpec } from '../../platform/renderer/contract.ts';
import { cutVideo } from './chunks/cut-video.ts';
import { completeWith } from './complete-with.ts';
import { findBundle } from './find-bundle.ts';
import type { Hold } from './hold.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { toRenderSpec } from './render-spec.ts';
import { whileUnavailable } from './while-unavailable.ts';

export const runRender = async (
  deps: RunRenderDeps,
  row: Export,
  fence: Fence,
  hold: Hold,
): Promise<void> => {
  const outputPath = join(
    deps.outputDirectory,
    `${row.id}-${fence.epoch}-${fence.attempt}.${extensionOf(row.format)}`,
  );
  await mkdir(deps.outputDirectory, { recursive: true });
  try {
    const spec = await toSpec(deps, row, outputPath);
    deps.checkpoint?.('bundle_ready');
    if (await cutVideo(deps, row, fence, hold, spec)) return;
    const result = await render(deps, row, fence, hold, spec);
    deps.checkpoint?.('rendered');
    await completeWith(deps, row, fence, { path: outputPath, result });
  } finally {
    await rm(outputPath, { force: true });
  }
};

const toSpec = async (deps: RunRenderDeps, row: Export, outputPath: string): Promise<RenderSpec> => {
  const { composition, bundlePath } = await findBundle(deps, row);
  return toRenderSpec(row, composition, { bundlePath, outputPath }, deps.timeLimits);
};

const render = (
  deps: RunRenderDeps,
  row: Export,
  fence: Fence,
  hold: Hold,
  spec: RenderSpec,
): Promise<RenderResult> => {
  let seen = 0;
  return deps.renderer.render(spec, {
    signal: hold.signal,
    onProgress: (progress) => {
      hold.report(progress);
      if (seen === 0) deps.checkpoint?.('first_progress');
      if (seen < 50 && progress.percent >= 50) deps.checkpoint?.('half_rendered');
      seen = Math.max(seen, progress.percent, 0.001);
    },
    remote: {
      before: row.remote_render,
      save: (remote) => whileUnavailable(deps.log, () => saveRemoteRender(deps.db, fence, { ...remote })),
    },
  });
};
