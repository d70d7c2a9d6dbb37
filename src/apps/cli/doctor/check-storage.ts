import { randomUUID } from 'node:crypto';
import { access, constants, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import type { Config } from '../../../platform/config/config.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { freeBytes } from '../../../platform/storage/disk-space.ts';
import type { S3Options } from '../../../platform/storage/s3/bucket.ts';
import { placeOfFiles, s3OptionsOf } from '../../open-storage.ts';
import { type Check, missing, ok, reasonOf, warning } from './check.ts';

const nearestFolder = async (directory: string): Promise<string> => {
  const found = await stat(directory).catch(() => null);
  return found !== null || dirname(directory) === directory ? directory : nearestFolder(dirname(directory));
};

export const checkStorage = async (config: Config): Promise<Check> => {
  const options = s3OptionsOf(config, createLogger({ level: 'silent' }));
  return options ? checkBucket(options, placeOfFiles(config)) : checkFolder(config.storageDirectory);
};

/** Lists, writes and deletes. Leaves nothing behind. */
const checkBucket = async (options: S3Options, place: string): Promise<Check> => {
  const { createS3Storage } = await import('../../../platform/storage/s3/s3-storage.ts');
  const storage = createS3Storage(options);
  try {
    await storage.check();
    const probe = `doctor/${randomUUID()}`;
    await storage.put(probe, Readable.from([]));
    await storage.delete(probe);
    return ok('storage', place);
  } catch (error) {
    return missing(
      'storage',
      reasonOf(error),
      'Let the key read, write, delete and list: see docs/storage.md.',
    );
  } finally {
    storage.close();
  }
};

/** Writes into it where it exists; else asks whether it could be made. Leaves nothing behind. */
const checkFolder = async (directory: string): Promise<Check> => {
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
