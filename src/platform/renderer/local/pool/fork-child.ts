import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The entry beside us: TypeScript when we run from source, JavaScript when we were compiled. */
const extension = extname(fileURLToPath(import.meta.url));
const entryPath = fileURLToPath(new URL(`../child/entry${extension}`, import.meta.url));

const loaderArgs = (): readonly string[] => {
  if (extension !== '.ts') return [];
  const loader = createRequire(import.meta.url).resolve('tsx');
  return ['--import', pathToFileURL(loader).href];
};

/** A composition's code runs in the browser below the child: no address of a database and no secret may reach it. */
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

export const childEnvironment = (parent: NodeJS.ProcessEnv, directory: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    passedOn.filter((name) => parent[name] !== undefined).map((name) => [name, parent[name]]),
  ),
  HOME: directory,
  TMPDIR: directory,
});

/** In a process group of its own, so that ffmpeg and the compositor can be ended together with it. */
export const forkChild = (directory: string): ChildProcess =>
  fork(entryPath, [], {
    cwd: directory,
    detached: true,
    env: childEnvironment(process.env, directory),
    execArgv: [...loaderArgs()],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
