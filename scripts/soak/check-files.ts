/** What lies where nothing should. Each answers with what it found. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Storage } from '../../src/platform/storage/contract.ts';

/** Caches of those who run TypeScript, made to stay. */
const madeToStay = /^(tsx-\d+|node-compile-cache)$/;

const namesIn = (directory: string): Promise<string[]> => readdir(directory).catch(() => []);

export interface SoakFolders {
  /** RENDERMILL_HOME. */
  readonly home: string;
  /** TMPDIR of all processes of the service. */
  readonly temporary: string;
}

const namedIn = async (directory: string, isLeft: (name: string) => boolean): Promise<string[]> =>
  (await namesIn(directory)).filter(isLeft).map((name) => join(directory, name));

/** Once all processes have ended. */
export const findLeftFolders = async ({ home, temporary }: SoakFolders): Promise<readonly string[]> => {
  const bundles = join(home, 'cache', 'bundles');
  const tenants = await namesIn(bundles);
  const found = await Promise.all([
    namedIn(join(home, 'work'), () => true),
    namedIn(temporary, (name) => !madeToStay.test(name)),
    namedIn(join(home, 'cache'), (name) => name.startsWith('bundle-')),
    namedIn(join(home, 'storage', '.incoming'), () => true),
    ...tenants.map((tenant) => namedIn(join(bundles, tenant), (name) => name.startsWith('.'))),
  ]);
  return found.flat();
};

/** Keys that no record names. */
export const findStrayObjects = async (
  storage: Pick<Storage, 'list'>,
  known: ReadonlySet<string>,
): Promise<readonly string[]> => {
  const strays: string[] = [];
  for await (const { key } of storage.list('')) {
    if (!known.has(key) && !key.startsWith('installation/')) strays.push(key);
  }
  return strays;
};

const foldersIn = async (directory: string): Promise<string[]> =>
  (await readdir(directory, { withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** Those of workers and of the children that render for them, and those in the folder of all. */
export const countTemporaryFolders = async ({ home, temporary }: SoakFolders): Promise<number> => {
  const work = join(home, 'work');
  const workers = await foldersIn(work);
  const inside = await Promise.all(workers.map((worker) => foldersIn(join(work, worker))));
  const others = (await foldersIn(temporary)).filter((name) => !madeToStay.test(name));
  return workers.length + inside.flat().length + others.length;
};

export const filesBelow = async (directory: string): Promise<readonly string[]> =>
  (await readdir(directory, { withFileTypes: true, recursive: true }).catch(() => []))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
