import { isFinal } from '../../core/exports.ts';
import { artifactPrefix } from '../../domain/artifacts/artifact-keys.ts';
import { findArtifactsOf } from '../../domain/artifacts/artifacts.ts';
import { type Export, getExport } from '../../domain/exports/export.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Storage } from '../../platform/storage/contract.ts';

/**
 * What lost attempts stored, once the export has ended: all but its artifact, if it has one. Before the end a file may be that of
 * an attempt which is just about to complete.
 */
export const removeStrayFiles = async (
  { db, storage }: { db: Database; storage: Storage },
  { organization_id, id }: Pick<Export, 'organization_id' | 'id'>,
): Promise<void> => {
  const { status } = await getExport(db, organization_id, id);
  if (!isFinal(status)) return;
  const kept = (await findArtifactsOf(db, [id])).get(id)?.storage_key;
  for await (const { key } of storage.list(artifactPrefix(organization_id, id))) {
    if (key !== kept) await storage.delete(key);
  }
};
