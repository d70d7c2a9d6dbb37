import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';

/** SHA-256 by cell. */
export type PictureSums = Map<string, string>;

export const sumOfFile = async (path: string): Promise<string> =>
  createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
