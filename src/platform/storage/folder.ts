/** Storage in a folder of this machine (or of a network drive with hard links and atomic renames). */
import { constants, createReadStream } from 'node:fs';
import { link, lstat, mkdir, open, realpath, rename, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { RendermillError } from '../../core/errors.ts';
import { systemClock } from '../clock/clock.ts';
import { fitRange } from './byte-range.ts';
import { checkFolder } from './check-folder.ts';
import type { ByteRange, Storage, WrittenObject } from './contract.ts';
import { asStorageError, errorCode } from './disk-errors.ts';
import { hashFile, receive, removeIfThere, sweepIncoming } from './incoming.ts';
import { assertReadableKey, assertStorageKey, readPrefix } from './key.ts';
import { listObjects, statObject } from './list-objects.ts';
import { pathForReading, placeAt, removeEmptyFolders } from './object-path.ts';
import { owning } from './owning.ts';

export interface FolderStorage extends Storage {
  /** Removes what dead writers left: incoming files that nobody has written to for so long. Resolves with their number. */
  sweepIncoming(maxAgeMs: number): Promise<number>;
}

export const createFolderStorage = ({ directory }: { directory: string }): FolderStorage => {
  const root = realRoot(directory);
  return {
    kind: 'folder',
    check: async () => checkFolder(await root()),
    presign: async () => null,
    putFile: async (key, path) => {
      assertStorageKey(key);
      return moveIn(await root(), key, path).catch(rethrow);
    },
    put: (key, body) =>
      owning(body, async () => {
        assertStorageKey(key);
        return putStream(await root(), key, body);
      }),
    putIfAbsent: (key, body) =>
      owning(body, async () => {
        assertStorageKey(key);
        return putNew(await root(), key, body);
      }),
    read: async (key, range) => {
      assertReadableKey(key);
      const folder = await root();
      try {
        return await openObject(folder, key, range);
      } catch (error) {
        await assertThere(folder);
        throw error;
      }
    },
    stat: async (key) => {
      assertReadableKey(key);
      const folder = await root();
      const found = await statObject(folder, key);
      if (found === null) await assertThere(folder);
      return found;
    },
    list: async function* (prefix) {
      const key = readPrefix(prefix);
      yield* listObjects(await root(), key);
    },
    delete: async (key) => {
      assertStorageKey(key);
      await remove(await root(), key);
    },
    sweepIncoming: async (maxAgeMs) => sweepIncoming(await root(), maxAgeMs, systemClock.now()),
  };
};

/** A file that is missing because its whole folder is (a disk that is not mounted) will be there again. */
const assertThere = async (root: string): Promise<void> => {
  // Whatever keeps us from seeing it: nothing in it can be told to be missing.
  if (await lstat(root).catch(() => null)) return;
  throw new RendermillError('storage_unavailable', {
    message: `The folder of files is gone: look at ${root} and its disk (STORAGE_DIRECTORY).`,
  });
};

/** The folder itself may be a symlink (to a larger disk, say); paths are compared with what it leads to. */
const realRoot = (directory: string): (() => Promise<string>) => {
  let root: string | undefined;
  return async () => {
    if (root !== undefined) return root;
    await mkdir(directory, { recursive: true });
    root = await realpath(directory);
    return root;
  };
};

const putStream = (root: string, key: string, body: Readable): Promise<WrittenObject> =>
  receive(root, body, async (incoming, written) => {
    await placeAt(root, key, (path) => rename(incoming, path));
    return written;
  });

const putNew = async (root: string, key: string, body: Readable): Promise<boolean> => {
  if (await statObject(root, key)) return false;
  return receive(root, body, (incoming) => placeAt(root, key, (path) => linkNew(incoming, path)));
};

/** Unlike a rename, a link never replaces. */
const linkNew = async (incoming: string, path: string): Promise<boolean> => {
  try {
    await link(incoming, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST' && (await lstat(path)).isFile()) return false;
    throw error;
  }
};

/** A rename where the file is on the same disk (and a file, not a link to one), else a copy. */
const moveIn = async (root: string, key: string, path: string): Promise<WrittenObject> => {
  const [source, target] = await Promise.all([lstat(path), lstat(root)]);
  if (source.isFile() && source.dev === target.dev) {
    const written = await hashFile(path);
    const moved = await placeAt(root, key, (to) => rename(path, to)).then(() => true, betweenDisks);
    if (moved) return written;
  }
  const body = createReadStream(path);
  const written = await owning(body, () => putStream(root, key, body));
  await unlink(path);
  return written;
};

/** One disk mounted twice has one device number, and still there is no renaming between the two. */
const betweenDisks = (error: unknown): false => {
  if (errorCode(error) === 'EXDEV') return false;
  throw error;
};

/** Of one read. A quarter of a megabyte sends a large file half again as fast as Node's 64 KiB do; more gained nothing. */
const readBytes = 256 * 1024;

const openObject = async (root: string, key: string, range: ByteRange | undefined): Promise<Readable> => {
  const path = await pathForReading(root, key);
  // NOFOLLOW: the object itself must not be a symlink; pathForReading has looked at its folders.
  const file = path && (await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0)).catch(notThere));
  if (!file) throw new RendermillError('not_found');
  try {
    const found = await file.stat();
    if (!found.isFile()) throw new RendermillError('not_found');
    const options = { highWaterMark: readBytes };
    return file.createReadStream(range ? { ...options, ...fitRange(range, found.size) } : options);
  } catch (error) {
    await file.close();
    throw error;
  }
};

const absent = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EISDIR']);

const notThere = (error: unknown): undefined => {
  if (!absent.has(errorCode(error) ?? '')) throw error;
};

const remove = async (root: string, key: string): Promise<void> => {
  const path = await pathForReading(root, key);
  if (path === undefined || !(await statObject(root, key))) return;
  await removeIfThere(path);
  await removeEmptyFolders(root, dirname(path));
};

const rethrow = (error: unknown): never => {
  throw asStorageError(error);
};
