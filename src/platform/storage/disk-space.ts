import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Bytes that a process without root's reserve may still write below a folder, which need not exist yet. */
export const freeBytes = async (directory: string): Promise<number> => {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch (error) {
    const parent = dirname(directory);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === directory) throw error;
    return freeBytes(parent);
  }
};
