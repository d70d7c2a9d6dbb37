import type { Composition } from '../../domain/compositions/find-compositions.ts';
import { getBundle, getComposition } from '../../domain/compositions/find-compositions.ts';
import type { Export } from '../../domain/exports/export.ts';
import type { Database } from '../../platform/db/client.ts';
import type { BundleCache } from './bundle-cache.ts';

/** What an export is rendered from: its composition, and the folder of its bundle on this machine. */
export const findBundle = async (
  { db, bundles }: { db: Database; bundles: BundleCache },
  row: Pick<Export, 'organization_id' | 'composition_id' | 'version'>,
): Promise<{ composition: Composition; bundlePath: string }> => {
  const composition = await getComposition(db, row.organization_id, row.composition_id, row.version);
  const bundle = await getBundle(db, row.organization_id, row.version);
  const bundlePath = await bundles.path({
    organizationId: row.organization_id,
    version: row.version,
    storageKey: bundle.storage_key,
  });
  return { composition, bundlePath };
};
