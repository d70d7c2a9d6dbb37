import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { checkFolder } from './check-folder.ts';
import { ownRemotionVersion } from './installed-version.ts';

/** Installed, not written, by the project; the lockfile stands for it. */
const ignoredAnywhere = new Set(['node_modules', '.git', '.DS_Store', '.cache']);

/** What builds leave at the top. Deeper down these are ordinary names of source folders. */
const ignoredAtTop = new Set(['build', 'dist', 'out', 'coverage', '.next', '.turbo', '.remotion']);

interface FileHash {
  /** Relative, with slashes on every system. */
  readonly path: string;
  readonly sha256: string;
}

const hashFile = async (path: string): Promise<string> => {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
};

const hashText = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A linked file counts with its content; a linked folder by its target, since it may lead in a circle. */
const hashLink = async (path: string): Promise<string> => {
  const target = await stat(path).catch(() => null);
  return target?.isFile() ? hashFile(path) : hashText(await readlink(path));
};

const hashFolder = async (root: string, folder = ''): Promise<readonly FileHash[]> => {
  const entries = await readdir(join(root, folder), { withFileTypes: true });
  const wanted = entries.filter(
    ({ name }) => !ignoredAnywhere.has(name) && !(folder === '' && ignoredAtTop.has(name)),
  );
  const hashes: FileHash[] = [];
  for (const entry of wanted) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) hashes.push(...(await hashFolder(root, path)));
    else if (entry.isSymbolicLink()) hashes.push({ path, sha256: await hashLink(join(root, path)) });
    else if (entry.isFile()) hashes.push({ path, sha256: await hashFile(join(root, path)) });
  }
  return hashes;
};

const hashFileOrFolder = async (path: string): Promise<readonly FileHash[]> =>
  (await stat(path)).isFile() ? [{ path: '', sha256: await hashFile(path) }] : hashFolder(path);

const listing = (name: string, files: readonly FileHash[]): string =>
  [name, ...files.map(({ path, sha256 }) => `${sha256} ${path}`).sort()].join('\n');

/**
 * What a bundle is made from, as one hash: the project's files, Remotion's version and our own part of the bundle. The same in
 * every folder. `alsoFrom` names files and folders outside of the project that it imports from; their order counts.
 */
export const hashProject = async (
  projectPath: string,
  options: { alsoFrom?: readonly string[] } = {},
): Promise<string> => {
  await checkFolder(projectPath);
  const own = await hashFolder(join(import.meta.dirname, 'entry'));
  const parts = [
    `remotion ${await ownRemotionVersion()}`,
    listing(
      'entry',
      own.filter(({ path }) => /\.tsx?$/.test(path)),
    ),
  ];
  parts.push(listing('project', await hashFolder(projectPath)));
  for (const path of options.alsoFrom ?? []) parts.push(listing('also', await hashFileOrFolder(path)));
  return hashText(parts.join('\n\n'));
};
