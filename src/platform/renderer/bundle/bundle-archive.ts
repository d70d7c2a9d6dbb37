/** A bundle as one tar object: what storage keeps and each worker unpacks once. */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { create, extract, type ReadEntry } from 'tar';
import { bundleFailed } from './bundle-failed.ts';

/** Uncompressed, and the same bytes for the same files: no times, no owners. */
export const packBundle = (directory: string): Readable =>
  Readable.from(create({ cwd: directory, portable: true, noMtime: true }, ['.']));

const isBundle = (directory: string): Promise<boolean> =>
  stat(join(directory, 'index.html')).then(
    (file) => file.isFile(),
    () => false,
  );

const plainTypes = new Set(['File', 'OldFile', 'ContiguousFile', 'Directory']);

/** Bundles hold plain files in plain folders; anything else in an archive is there to write or read somewhere else. */
const refuseEntry = (path: string, type: string): string | null => {
  if (path.startsWith('/') || path.split(/[\\/]/).includes('..')) return `${path} leads out of the folder`;
  return plainTypes.has(type) ? null : `${path} is a ${type}`;
};

const unpackInto = async (archive: Readable, directory: string): Promise<void> => {
  const refused: string[] = [];
  const filter = (path: string, entry: object): boolean => {
    const reason = refuseEntry(path, String((entry as ReadEntry).type));
    if (reason !== null) refused.push(reason);
    return reason === null;
  };
  await pipeline(archive, extract({ cwd: directory, strict: true, preserveOwner: false, filter }));
  if (refused.length > 0) throw bundleFailed(`The bundle's archive is not accepted: ${refused.join(', ')}.`);
  if (!(await isBundle(directory))) throw bundleFailed("The bundle's archive holds no index.html.");
};

/** Where another one was faster, its folder is as good as ours; what is left of a broken one is moved aside. */
const moveIntoPlace = async (from: string, to: string): Promise<void> => {
  try {
    await rename(from, to);
  } catch {
    if (await isBundle(to)) return;
    await rename(to, join(from, '..', `${basename(from)}-replaced`));
    await rename(from, to);
  }
};

/**
 * Makes `directory` from an archive, completely or not at all. It may be called for one folder by several at once, and does
 * nothing where the bundle is already there. Rejects with `bundle_failed` for an archive that is none of ours.
 */
export const unpackBundle = async (archive: Readable, directory: string): Promise<void> => {
  if (await isBundle(directory)) {
    archive.destroy();
    return;
  }
  await mkdir(dirname(directory), { recursive: true });
  const temporary = await mkdtemp(join(dirname(directory), `.${basename(directory)}-`));
  try {
    await unpackInto(archive, temporary);
    await moveIntoPlace(temporary, directory);
  } finally {
    await rm(temporary, { recursive: true, force: true });
    await rm(`${temporary}-replaced`, { recursive: true, force: true });
  }
};
