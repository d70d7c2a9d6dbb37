/** Files on their way in: written below `.incoming/`, on the same file system as the objects, and moved from there when whole. */
import { createHash, randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { WrittenObject } from './contract.ts';
import { asStorageError, errorCode } from './disk-errors.ts';

/** No key can name it: segments of a key do not begin with a dot. */
export const incomingFolder = (directory: string): string => join(directory, '.incoming');

/** Hands the written and synced file to `place`, which moves or links it; what is left of it is removed, also after a failure. */
export const receive = async <T>(
  directory: string,
  body: Readable,
  place: (path: string, written: WrittenObject) => Promise<T>,
): Promise<T> => {
  const path = join(incomingFolder(directory), randomUUID());
  try {
    return await place(path, await write(path, body));
  } catch (error) {
    throw asStorageError(error);
  } finally {
    await removeIfThere(path);
  }
};

const write = async (path: string, body: Readable): Promise<WrittenObject> => {
  await mkdir(join(path, '..'), { recursive: true });
  const file = await open(path, 'wx');
  try {
    const hash = createHash('sha256');
    let sizeInBytes = 0;
    for await (const chunk of body) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer);
      hash.update(bytes);
      await writeAll(file, bytes);
      sizeInBytes += bytes.length;
    }
    await file.sync();
    return { sizeInBytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
};

/** A write may take less than it was given, most of all shortly before the disk is full. */
const writeAll = async (file: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let offset = 0; offset < bytes.length; ) {
    offset += (await file.write(bytes, offset)).bytesWritten;
  }
};

/** Of a file that stays where it is; afterwards its bytes are on the disk (Windows flushes through a writable handle only). */
export const hashFile = async (path: string): Promise<WrittenObject> => {
  const file = await open(path, process.platform === 'win32' ? 'r+' : 'r');
  try {
    const hash = createHash('sha256');
    let sizeInBytes = 0;
    for await (const chunk of file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })) {
      hash.update(chunk);
      sizeInBytes += chunk.length;
    }
    await file.sync();
    return { sizeInBytes, sha256: hash.digest('hex') };
  } finally {
    await file.close();
  }
};

/**
 * Removes what writers left that died in the middle: files that nobody has written to for so long. By age and not by process,
 * since the writers may be on other machines. Resolves with their number.
 */
export const sweepIncoming = async (directory: string, maxAgeMs: number, now: Date): Promise<number> => {
  const folder = incomingFolder(directory);
  let removed = 0;
  for (const name of await readdir(folder).catch(() => [])) {
    const modified = await stat(join(folder, name)).catch(() => undefined);
    if (!modified || now.getTime() - modified.mtimeMs <= maxAgeMs) continue;
    await removeIfThere(join(folder, name));
    removed += 1;
  }
  return removed;
};

export const removeIfThere = (path: string): Promise<void> =>
  unlink(path).catch((error) => {
    if (errorCode(error) !== 'ENOENT') throw error;
  });
