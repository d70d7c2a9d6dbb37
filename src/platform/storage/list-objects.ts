import type { Dirent } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredObject } from './contract.ts';
import { isStorageKey } from './key.ts';
import { pathForReading } from './object-path.ts';

/** By key, as an object store lists; in memory is one folder at a time. Symlinks and names that are no keys are passed over. */
export async function* listObjects(root: string, prefix: string): AsyncIterable<StoredObject> {
  if (prefix === '') return yield* listFolder(root, '');
  const object = await statObject(root, prefix);
  if (object) yield object;
  else if (await pathForReading(root, `${prefix}/x`)) yield* listFolder(root, `${prefix}/`);
}

async function* listFolder(root: string, prefix: string): AsyncIterable<StoredObject> {
  const entries = await readdir(join(root, prefix), { withFileTypes: true }).catch(() => []);
  for (const entry of entries.filter(({ name }) => isStorageKey(prefix + name)).sort(byKey)) {
    if (entry.isDirectory()) yield* listFolder(root, `${prefix}${entry.name}/`);
    const object = entry.isFile() ? await statObject(root, prefix + entry.name) : null;
    if (object) yield object;
  }
}

/** A folder sorts as its name with a slash, so that the keys in it come where they belong among their neighbours: a-b, a/c, a0. */
const byKey = (a: Dirent, b: Dirent): number => (sortName(a) < sortName(b) ? -1 : 1);
const sortName = (entry: Dirent): string => (entry.isDirectory() ? `${entry.name}/` : entry.name);

export const statObject = async (root: string, key: string): Promise<StoredObject | null> => {
  const path = await pathForReading(root, key);
  const found = path === undefined ? undefined : await lstat(path).catch(() => undefined);
  return found?.isFile() ? { key, sizeInBytes: found.size, lastModified: found.mtime } : null;
};
