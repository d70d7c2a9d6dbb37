import { randomUUID } from 'node:crypto';
import { mkdir, open, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RendermillError } from '../../core/errors.ts';
import { incomingFolder } from './incoming.ts';

/**
 * Makes an empty file where files come in, and removes it: so a disk that is full passes, which still hands out what it has. A folder
 * that is gone is not made anew: the disk below it may have. Throws `storage_unavailable`.
 */
export const checkFolder = async (root: string): Promise<void> => {
  try {
    if (!(await stat(root)).isDirectory()) throw new Error(`${root} is not a folder`);
    const incoming = incomingFolder(root);
    if (!(await stat(incoming).catch(() => null))) await mkdir(incoming, { recursive: true });
    const path = join(incoming, randomUUID());
    await (await open(path, 'wx')).close();
    await unlink(path);
  } catch (error) {
    throw new RendermillError('storage_unavailable', {
      message: `The folder of files cannot be written to: look at ${root}, its owner and its disk (STORAGE_DIRECTORY).`,
      cause: error,
    });
  }
};
