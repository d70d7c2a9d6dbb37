import { copyFile, rename, rm } from 'node:fs/promises';

/** The file appears at its place only when it is whole, as far as the file system can do that. */
export const moveFile = async (from: string, to: string): Promise<void> => {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error;
    await copyFile(from, to);
    await rm(from);
  }
};
