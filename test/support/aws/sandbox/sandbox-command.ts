import { realpathSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProcessCommand } from '../lambda/execution-environment.ts';

/** Both give a process its own /tmp, /opt, /mnt and process numbers; the rest of the machine can be read there and not written. */
export type SandboxWay = 'bubblewrap' | 'unshare';

/** `to` stands below /mnt. */
interface Mount {
  readonly from: string;
  readonly to: string;
}

/** The program to run inside, and what it needs there. */
interface Inside {
  readonly mounts: readonly Mount[];
  readonly command: readonly string[];
}

const bubblewrap = ({ mounts, command }: Inside): string[] => [
  'bwrap',
  ...['--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', '--tmpfs', '/mnt'],
  ...mounts.flatMap(({ from, to }) => ['--ro-bind', from, to]),
  ...['--tmpfs', '/opt', '--tmpfs', '/tmp', '--unshare-pid', '--die-with-parent', '--'],
  ...command,
];

/** `-r` where we are nobody special: as root it would only take rights away. */
const unshare = ({ mounts, command }: Inside, isRoot: boolean): string[] => {
  const lines = [
    'set -e',
    'mount -t tmpfs tmpfs /mnt',
    ...mounts.map(({ from, to }) => `mkdir -p "$(dirname ${to})"; ${mountLine(from, to)}`),
    'mount -t tmpfs tmpfs /opt',
    'mount -t tmpfs -o mode=1777 tmpfs /tmp',
    'exec "$@"',
  ];
  return [
    ...['unshare', ...(isRoot ? [] : ['--map-root-user'])],
    ...['--mount', '--propagation', 'private', '--pid', '--fork', '--kill-child', '--mount-proc'],
    ...['sh', '-c', lines.join('\n'), 'sh', ...command],
  ];
};

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const mountLine = (from: string, to: string): string => {
  const make = statSync(from).isDirectory() ? `mkdir ${to}` : `touch ${to}`;
  return `${make}; mount --bind ${quoted(from)} ${to}`;
};

const identityOf = (path: string): string => `${statSync(path).dev}:${statSync(path).ino}`;

const wrap = (way: SandboxWay, inside: Inside): Pick<ProcessCommand, 'program' | 'args'> => {
  const isRoot = process.getuid?.() === 0;
  const [program = '', ...args] = way === 'bubblewrap' ? bubblewrap(inside) : unshare(inside, isRoot);
  return { program, args };
};

/** Any command, with Node at `/mnt/node`: to try whether the sandbox works here. */
export const sandboxedCommand = (way: SandboxWay, args: readonly string[]): ProcessCommand => ({
  ...wrap(way, {
    mounts: [{ from: realpathSync(process.execPath), to: '/mnt/node' }],
    command: ['/mnt/node', ...args],
  }),
  environment: { OUTSIDE_TMP: identityOf('/tmp') },
});

const bootstrap = fileURLToPath(new URL('../lambda/bootstrap.mjs', import.meta.url));

/** The folder that holds `@remotion/lambda` and all that it needs. */
const nodeModules = (): string => {
  const packageFile = realpathSync(createRequire(import.meta.url).resolve('@remotion/lambda/package.json'));
  return join(dirname(packageFile), '../..');
};

/**
 * The unmodified function of `@remotion/lambda`, as npm has it, in a sandbox. Its browser is a real program, not a script. `marker` ends up
 * in the environment of all its processes, by which they can be found.
 */
export const remotionFunctionCommand = (
  way: SandboxWay,
  browserExecutable: string,
  marker: string,
): ProcessCommand => {
  const browser = realpathSync(browserExecutable);
  const mounts = [
    { from: realpathSync(process.execPath), to: '/mnt/node' },
    { from: bootstrap, to: '/mnt/bootstrap.mjs' },
    { from: nodeModules(), to: '/mnt/node_modules' },
    { from: dirname(browser), to: '/mnt/browser' },
  ];
  return {
    ...wrap(way, { mounts, command: ['/mnt/node', '/mnt/bootstrap.mjs'] }),
    environment: {
      HANDLER_FILE: '/mnt/node_modules/@remotion/lambda/dist/functions/index.js',
      SANDBOX_BROWSER: `/mnt/browser/${basename(browser)}`,
      OUTSIDE_TMP: identityOf('/tmp'),
      SANDBOX_MARKER: marker,
    },
  };
};
