/** Bundles on this machine: fetched from storage once per version, unpacked aside, and renamed into place when whole. */
import { access, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../platform/clock/clock.ts';
import { unpackBundle } from '../../platform/renderer/bundle/bundle-archive.ts';
import type { Storage } from '../../platform/storage/contract.ts';

export interface BundleCache {
  /** Absolute folder of the unpacked bundle. */
  path(bundle: { organizationId: string; version: string; storageKey: string }): Promise<string>;
}

export const createBundleCache = (deps: {
  directory: string;
  storage: Storage;
  clock: Clock;
}): BundleCache => {
  const fetching = new Map<string, Promise<string>>();

  const fetch = async (directory: string, storageKey: string): Promise<string> => {
    const isThere = await access(join(directory, 'index.html')).then(
      () => true,
      () => false,
    );
    if (!isThere) await unpackBundle(await deps.storage.read(storageKey), directory);
    // By this it is known how long nobody has used it; see evict-bundles.ts.
    const now = deps.clock.now();
    await utimes(directory, now, now);
    return directory;
  };

  return {
    path: ({ organizationId, version, storageKey }) => {
      const directory = join(deps.directory, organizationId, version);
      const known = fetching.get(directory);
      if (known) return known;
      const fetched = fetch(directory, storageKey);
      fetching.set(directory, fetched);
      // A failure is not kept; a success is asked for again cheaply, in case someone cleaned the folder.
      fetched.finally(() => fetching.delete(directory)).catch(() => undefined);
      return fetched;
    },
  };
};
