/** What a render needs of the machine: Node, a browser, setpriv, fonts, shared memory. */
import { execFile } from 'node:child_process';
import { access, constants, statfs } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { findBrowser } from '../../../platform/renderer/browser/find-browser.ts';
import { type Check, missing, ok, reasonOf, warning } from './check.ts';

/** As package.json's `engines`. */
export const checkNode = (version: string): Check => {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const fits = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22;
  return fits
    ? ok('node', version)
    : missing('node', version, 'Install Node 20.19 or later, or 22.12 or later.');
};

export const checkBrowser = async (configured: string | undefined): Promise<Check> => {
  try {
    const { path, source, version } = await findBrowser(
      configured === undefined ? {} : { explicitPath: configured },
    );
    if (version !== undefined) return ok('browser', `${version} (${source}: ${path})`);
    return missing(
      'browser',
      `${path} does not start`,
      `Run ${path} --version to see why; often shared libraries are missing. Or name another one in BROWSER_EXECUTABLE.`,
    );
  } catch (error) {
    return missing('browser', reasonOf(error), 'Run scripts/setup.');
  }
};

const findProgram = async (name: string, searchPath: string): Promise<string | null> => {
  for (const folder of searchPath.split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    const found = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  return null;
};

export const checkSetpriv = async (
  searchPath: string,
  platform: string = process.platform,
): Promise<Check> => {
  if (platform !== 'linux') return ok('setpriv', 'not needed on this system');
  const path = await findProgram('setpriv', searchPath);
  return path === null
    ? warning(
        'setpriv',
        'not on the PATH',
        'Install util-linux: without it a killed render may leave its browser running.',
      )
    : ok('setpriv', path);
};

/** fc-list prints a family for each line. */
export const judgeFonts = (families: readonly string[]): Check => {
  const found = `${new Set(families).size} families`;
  if (families.length === 0)
    return warning(
      'fonts',
      'none',
      'Install some: fonts-liberation, fonts-noto-core, fonts-noto-color-emoji.',
    );
  return families.some((family) => /emoji/i.test(family))
    ? ok('fonts', found)
    : warning(
        'fonts',
        `${found}, no emoji`,
        'Install fonts-noto-color-emoji: emoji are empty boxes without it.',
      );
};

export const checkFonts = async (searchPath: string): Promise<Check> => {
  const program = await findProgram('fc-list', searchPath);
  if (program === null) return warning('fonts', 'no fc-list to ask', 'Install fontconfig and some fonts.');
  const { stdout } = await promisify(execFile)(program, [':', 'family'], { timeout: 10_000 });
  return judgeFonts(stdout.split('\n').filter((line) => line.trim() !== ''));
};

const mebibyte = 1024 * 1024;
/** Docker gives 64 MB, which a browser with a large page runs out of. */
const enoughSharedMemoryMb = 512;

export const checkSharedMemory = async (directory = '/dev/shm'): Promise<Check> => {
  const sizeMb = await statfs(directory).then(
    ({ blocks, bsize }) => Math.floor((blocks * bsize) / mebibyte),
    () => null,
  );
  if (sizeMb === null) return ok('shared memory', `no ${directory} on this system`);
  return sizeMb >= enoughSharedMemoryMb
    ? ok('shared memory', `${sizeMb} MB`)
    : warning(
        'shared memory',
        `${sizeMb} MB`,
        'Give the container more: shm_size: 2gb, or docker run --shm-size 2g.',
      );
};
