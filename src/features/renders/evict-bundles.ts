/** Unpacked bundles that nobody has rendered from for long leave this machine; storage has them still. */
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const foldersIn = async (directory: string): Promise<readonly string[]> => {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(directory, entry.name));
};

/** Milliseconds since the epoch; null: it is gone, another worker of this machine was first. */
const lastUse = (folder: string): Promise<number | null> =>
  stat(folder).then(
    ({ mtimeMs }) => mtimeMs,
    () => null,
  );

const isIdle = async (folder: string, sinceMs: number): Promise<boolean> => {
  const usedMs = await lastUse(folder);
  return usedMs !== null && usedMs < sinceMs;
};

/** True: it is gone. Aside first, so that nobody meets half of it, and back again if somebody has begun with it at that moment. */
const evict = async (folder: string, sinceMs: number): Promise<boolean> => {
  const aside = join(dirname(folder), `.${basename(folder)}-evicted-${process.pid}`);
  const isMoved = await rename(folder, aside).then(
    () => true,
    () => false,
  );
  if (!isMoved) return false;
  const isBack =
    !(await isIdle(aside, sinceMs)) &&
    (await rename(aside, folder).then(
      () => true,
      () => false,
    ));
  if (!isBack) await rm(aside, { recursive: true, force: true });
  return !isBack;
};

/**
 * Removes what was not used since then, with what a killed worker left half unpacked. A use is a request of the cache for it, which sets
 * the folder's time. Returns how many it removed.
 */
export const evictBundles = async (directory: string, since: Date): Promise<number> => {
  let evicted = 0;
  for (const organization of await foldersIn(directory)) {
    for (const folder of await foldersIn(organization)) {
      if (!(await isIdle(folder, since.getTime()))) continue;
      if (await evict(folder, since.getTime())) evicted += 1;
    }
  }
  return evicted;
};
