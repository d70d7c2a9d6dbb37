import { randomUUID } from 'node:crypto';
import { access, constants, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../../platform/config/config.ts';
import { freeBytes } from '../../../platform/storage/disk-space.ts';
import { type Check, missing, ok, reasonOf, warning } from './check.ts';

const nearestFolder = async (directory: string): Promise<string> => {
  const found = await stat(directory).catch(() => null);
  return found !== null || dirname(directory) === directory ? directory : nearestFolder(dirname(directory));
};

/** Writes into it where it exists; else asks whether it could be made. Leaves nothing behind. */
export const checkStorage = async (directory: string): Promise<Check> => {
  const folder = await nearestFolder(directory);
  try {
    if (!(await stat(folder)).isDirectory()) throw new Error(`${folder} is not a folder`);
    if (folder !== directory) {
      await access(folder, constants.W_OK);
      return ok('storage', `${directory} (will be made)`);
    }
    const probe = join(directory, `.doctor-${randomUUID()}`);
    await writeFile(probe, '');
    await rm(probe);
    return ok('storage', directory);
  } catch (error) {
    return missing(
      'storage',
      reasonOf(error),
      `Let this user write to ${directory}, or choose another STORAGE_DIRECTORY.`,
    );
  }
};

const mebibyte = 1024 * 1024;

export const checkDisk = async ({ home, storageDirectory, MIN_FREE_DISK_MB }: Config): Promise<Check> => {
  const bytes = Math.min(await freeBytes(home), await freeBytes(storageDirectory));
  const freeMb = Math.floor(bytes / mebibyte);
  if (freeMb < MIN_FREE_DISK_MB) {
    return missing(
      'disk',
      `${freeMb} MB free`,
      `Workers take nothing below ${MIN_FREE_DISK_MB} MB (MIN_FREE_DISK_MB): make room.`,
    );
  }
  return freeMb < 2 * MIN_FREE_DISK_MB
    ? warning('disk', `${freeMb} MB free`, `Make room: workers stop at ${MIN_FREE_DISK_MB} MB.`)
    : ok('disk', `${freeMb} MB free`);
};
