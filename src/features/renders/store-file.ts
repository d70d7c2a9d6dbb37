import { mediaTypeOf } from '../../core/output.ts';
import { artifactKey } from '../../domain/artifacts/artifact-keys.ts';
import type { RenderedFile } from '../../domain/exports/complete-export.ts';
import { contentHash } from '../../domain/exports/content-hash.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Renderer, RenderResult } from '../../platform/renderer/contract.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import { probeSound } from './probe-sound.ts';
import { putRendered } from './put-rendered.ts';

interface StoreFileDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly storage: Storage;
  readonly renderer: Renderer;
}

/**
 * Moves a rendered file into storage, under a name of that attempt, and says what is to be recorded of it. A storage that does not
 * take it is recorded as `storage_error`.
 */
export const storeFile = async (
  deps: StoreFileDeps,
  row: Export,
  fence: Fence,
  rendered: { path: string; result: RenderResult },
): Promise<RenderedFile> => {
  const storageKey = artifactKey({ ...fence, organizationId: row.organization_id }, row.format);
  // Before the move: afterwards the file is the storage's.
  const hasSound = await probeSound(rendered.path, row.format);
  const written = await putRendered(deps, row, storageKey, rendered.path);
  return {
    storageKey,
    ...written,
    mediaType: mediaTypeOf(row.format),
    width: rendered.result.width,
    height: rendered.result.height,
    durationSeconds: rendered.result.durationSeconds,
    hasSound,
    renderTimeMs: rendered.result.renderTimeMs,
    cost: rendered.result.cost,
    contentHash: contentHash(row, deps.renderer.version),
  };
};
