/**
 * One attempt at one export: claim it, render, store, complete. Everything that this changes names the fence, so an attempt that
 * lost its export to another worker ends without a trace.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { extensionOf } from '../../core/output.ts';
import { findArtifactsOf } from '../../domain/artifacts/artifacts.ts';
import { completeExport, type RenderedFile } from '../../domain/exports/complete-export.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Renderer, RenderResult } from '../../platform/renderer/contract.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import type { BundleCache } from './bundle-cache.ts';
import { findBundle } from './find-bundle.ts';
import type { Hold } from './hold.ts';
import { removeStrayFiles } from './remove-stray-files.ts';
import { type RenderTimeLimits, toRenderSpec } from './render-spec.ts';
import { storeFile } from './store-file.ts';
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
  | 'group_committed';

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
    const result = await render(deps, row, hold, outputPath);
    deps.checkpoint?.('rendered');
    const file = await storeFile(deps, row, fence, { path: outputPath, result });
    deps.checkpoint?.('stored');
    await complete(deps, row, fence, file);
    deps.checkpoint?.('committed');
    await removeStrayFiles(deps, row);
    deps.checkpoint?.('cleaned');
  } finally {
    await rm(outputPath, { force: true });
  }
};

const render = async (
  deps: RunRenderDeps,
  row: Export,
  hold: Hold,
  outputPath: string,
): Promise<RenderResult> => {
  const { composition, bundlePath } = await findBundle(deps, row);
  deps.checkpoint?.('bundle_ready');
  let seen = 0;
  return deps.renderer.render(toRenderSpec(row, composition, { bundlePath, outputPath }, deps.timeLimits), {
    signal: hold.signal,
    onProgress: (progress) => {
      hold.report(progress);
      if (seen === 0) deps.checkpoint?.('first_progress');
      if (seen < 50 && progress.percent >= 50) deps.checkpoint?.('half_rendered');
      seen = Math.max(seen, progress.percent, 0.001);
    },
  });
};

const complete = async (
  deps: RunRenderDeps,
  row: Export,
  fence: Fence,
  file: RenderedFile,
): Promise<void> => {
  try {
    await whileUnavailable(deps.log, () =>
      deps.db.transaction().execute(async (tx) => {
        await completeExport(tx, fence, file, deps.clock.now());
        deps.checkpoint?.('before_commit');
      }),
    );
  } catch (error) {
    // A commit whose answer was lost may have happened: then the retry finds the export ended, and its file must stay.
    if (!(await isCompletedWith(deps, row, file.storageKey))) {
      await deps.storage.delete(file.storageKey);
      throw error;
    }
  }
};

const isCompletedWith = async (deps: RunRenderDeps, row: Export, storageKey: string): Promise<boolean> =>
  (await findArtifactsOf(deps.db, [row.id])).get(row.id)?.storage_key === storageKey;
