/** What every child process of the renderer is started with: the right entry, the loader it needs, and no secrets. */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** TypeScript when we run from source, JavaScript when we were compiled. */
const extension = extname(fileURLToPath(import.meta.url));

/** `url` is the caller's import.meta.url; `name` the entry beside it, without its ending. */
export const childEntry = (url: string, name: string): string =>
  fileURLToPath(new URL(`${name}${extension}`, url));

export const loaderArguments = (): string[] =>
  extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : [];

/** A tenant's code runs in these processes or in a browser below them: no address of a database and no secret may reach it. */
const passedOn = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'NODE_ENV',
  'FONTCONFIG_PATH',
  'FONTCONFIG_FILE',
  'FONTCONFIG_SYSROOT',
];

/** The directory becomes home and temporary folder: what the child leaves behind goes with it. */
export const childEnvironment = (parent: NodeJS.ProcessEnv, directory: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    passedOn.filter((name) => parent[name] !== undefined).map((name) => [name, parent[name]]),
  ),
  HOME: directory,
  TMPDIR: directory,
});
