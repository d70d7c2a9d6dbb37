import { RendermillError } from '../../../core/errors.ts';
import type { Artifact } from '../../../domain/artifacts/artifacts.ts';
import type { Storage } from '../../../platform/storage/contract.ts';

/** More at once would only queue behind each other, and starve what else reads. */
const atOnce = 32;
const named = 20;

/** What was promised must be there before a length is. Throws `file_damaged`, which lists the files; opens none of them. */
export const assertAllWhole = async (storage: Storage, artifacts: readonly Artifact[]): Promise<void> => {
  const damaged: { fileId: string; found: number | null; expected: number }[] = [];
  let next = 0;
  const look = async () => {
    for (let artifact = artifacts[next++]; artifact !== undefined; artifact = artifacts[next++]) {
      const found = (await storage.stat(artifact.storage_key))?.sizeInBytes ?? null;
      if (found === artifact.size_in_bytes) continue;
      damaged.push({ fileId: artifact.file_id, found, expected: artifact.size_in_bytes });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, look));
  if (damaged.length === 0) return;
  const fileIds = damaged.map(({ fileId }) => fileId).sort();
  throw new RendermillError('file_damaged', {
    message: `${damaged.length} of ${artifacts.length} stored files are missing or damaged: ${fileIds.slice(0, named).join(', ')}${damaged.length > named ? ' …' : ''}. Render them again, or leave them out.`,
    details: { fileIds: fileIds.slice(0, named), damaged: damaged.length },
    cause: new Error(JSON.stringify(damaged.slice(0, named))),
  });
};
