/** From a key to a place below the storage folder, and never, by way of a symlink, to one outside of it. */
import { mkdir, open, realpath, rmdir } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { RendermillError } from '../../core/errors.ts';
import { errorCode } from './disk-errors.ts';

/** Undefined: there is no such object, since its folder is missing, or is a symlink. */
export const pathForReading = async (root: string, key: string): Promise<string | undefined> => {
  const path = join(root, ...key.split('/'));
  const folder = await realpath(dirname(path)).catch(() => undefined);
  return folder === dirname(path) ? path : undefined;
};

/**
 * Makes the folders of an object and hands its path to `place`. A deletion beside us may remove a folder that is still empty:
 * then once more.
 */
export const placeAt = async <T>(
  root: string,
  key: string,
  place: (path: string) => Promise<T>,
): Promise<T> => {
  const path = join(root, ...key.split('/'));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await makeFolder(root, path, key);
      const placed = await place(path);
      await syncFolder(dirname(path));
      return placed;
    } catch (error) {
      if (errorCode(error) === 'ENOENT' && attempt < 10) continue;
      await removeEmptyFolders(root, dirname(path));
      throw explain(error, key);
    }
  }
};

const makeFolder = async (root: string, path: string, key: string): Promise<void> => {
  await mkdir(dirname(path), { recursive: true });
  if ((await realpath(dirname(path))) === dirname(path)) return;
  throw new RendermillError('invalid_configuration', {
    message: `The storage folder ${root} has a symlink on the way to ${key}. Remove it: nothing is written through it.`,
  });
};

const continuesAnother = new Set(['ENOTDIR', 'EEXIST', 'EISDIR', 'ENOTEMPTY']);

const explain = (error: unknown, key: string): unknown =>
  continuesAnother.has(errorCode(error) ?? '')
    ? new TypeError(`The key ${key} continues, or is continued by, the key of another object.`, {
        cause: error,
      })
    : error;

/** A new name lasts through a power cut once its folder is on the disk; a deletion may have taken both away. Windows opens no folders. */
const syncFolder = async (folder: string): Promise<void> => {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r').catch((error) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
  await handle?.sync().finally(() => handle.close());
};

/** The folders that an object leaves empty, up to the storage folder itself. */
export const removeEmptyFolders = async (root: string, folder: string): Promise<void> => {
  if (!folder.startsWith(root + sep)) return;
  try {
    await rmdir(folder);
  } catch {
    return;
  }
  await removeEmptyFolders(root, dirname(folder));
};
