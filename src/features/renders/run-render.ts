/**
 * One attempt at one export: claim it, render, store, complete. Everything that this changes names the fence, so an attempt that
 * lost its export to another worker ends without a trace.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extensionOf } from '../../core/output.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import { saveRemoteRender } from '../../domain/exports/remote-render.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { ChunkRenderer, Renderer, RenderResult, RenderSpec } from '../../platform/renderer/contract.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import type { BundleCache } from './bundle-cache.ts';
import { cutVideo } from './chunks/cut-video.ts';
import { completeWith } from './complete-with.ts';
import { findBundle } from './find-bundle.ts';
import type { Hold } from './hold.ts';
import { type RenderTimeLimits, toRenderSpec } from './render-spec.ts';
import { whileUnavailable } from './while-unavailable.ts';

/** Places between which a worker may die; a test kills it at each. */
export type Checkpoint =
  | 'received'
  | 'claimed'
  | 'bundle_ready'
  | 'first_progress'
  | 'half_rendered'
  | 'rendered'
  | 'stored'
  | 'before_commit'
  | 'committed'
  | 'cleaned'
  | 'group_claimed'
  | 'group_half_rendered'
  | 'group_before_commit'
  | 'group_committed'
  | 'chunk_claimed'
  | 'chunk_rendered'
  | 'chunk_stored'
  | 'chunk_committed';

export interface ChunkSettings {
  readonly renderer: ChunkRenderer;
  /** Seconds of footage; longer videos are cut while slots are idle. */
  readonly afterSeconds: number;
}

export interface RunRenderDeps {
  readonly db: Database;
  readonly storage: Storage;
  readonly renderer: Renderer;
  readonly bundles: BundleCache;
  readonly listener: Listener;
  readonly clock: Clock;
  readonly log: Logger;
  readonly workerId: string;
  /** Finished files wait here for storage. Exclusive to this process. */
  readonly outputDirectory: string;
  readonly timeLimits: RenderTimeLimits;
  /** Absent: videos are rendered whole. */
  readonly chunks?: ChunkSettings;
  /** What becomes of a render that Lambda has no room for. Default: it waits. */
  readonly whenThrottled?: 'wait' | 'local';
  readonly checkpoint?: (name: Checkpoint) => void;
}

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
