import { mediaTypeOf } from '../../core/output.ts';
import { artifactKey } from '../../domain/artifacts/artifact-keys.ts';
import type { RenderedFile } from '../../domain/exports/complete-export.ts';
import { contentHash } from '../../domain/exports/content-hash.ts';
import type { Export, Fence } from '../../domain/exports/export.ts';
import type { Renderer, RenderResult } from '../../platform/renderer/contract.ts';
import type { Storage } from '../../platform/storage/contract.ts';

/** Moves a rendered file into storage, under a name of that attempt, and says what is to be recorded of it. */
export const storeFile = async (
  { storage, renderer }: { storage: Storage; renderer: Renderer },
  row: Export,
  fence: Fence,
  rendered: { path: string; result: RenderResult },
): Promise<RenderedFile> => {
  const storageKey = artifactKey({ ...fence, organizationId: row.organization_id }, row.format);
  const written = await storage.putFile(storageKey, rendered.path);
  return {
    storageKey,
    ...written,
    mediaType: mediaTypeOf(row.format),
    width: rendered.result.width,
    height: rendered.result.height,
    durationSeconds: rendered.result.durationSeconds,
    renderTimeMs: rendered.result.renderTimeMs,
    contentHash: contentHash(row, renderer.version),
  };
};
