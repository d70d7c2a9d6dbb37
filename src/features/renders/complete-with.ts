/** From a file on this machine to a completed export, whoever rendered it. */
import { findArtifactsOf } from '../../domain/artifacts/artifacts.ts';
import { completeExport, type RenderedFile } from '../../domain/exports/complete-export.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import type { RenderResult } from '../../platform/renderer/contract.ts';
import { removeStrayFiles } from './remove-stray-files.ts';
import type { RunRenderDeps } from './render-deps.ts';
import { storeFile } from './store-file.ts';
import { whileUnavailable } from './while-unavailable.ts';

/** `reusable` false: the file is not what one render makes, byte for byte, and is not used again for what is asked for later. */
export const completeWith = async (
  deps: RunRenderDeps,
  row: Export,
  fence: Fence,
  rendered: { path: string; result: RenderResult },
  { reusable = true } = {},
): Promise<void> => {
  const { contentHash, ...file } = await storeFile(deps, row, fence, rendered);
  deps.checkpoint?.('stored');
  await complete(deps, row, fence, reusable && contentHash !== undefined ? { ...file, contentHash } : file);
  deps.checkpoint?.('committed');
  await removeStrayFiles(deps, row);
  deps.checkpoint?.('cleaned');
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
