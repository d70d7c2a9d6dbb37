import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../../../platform/config/config.ts';
import { findPostgresBinaries } from '../../../platform/db/embedded/binaries.ts';
import { lookAtServer, serverUrl } from '../../../platform/db/embedded/look-at-server.ts';
import { passwordPath } from '../../../platform/db/embedded/password.ts';
import { type Check, missing, ok, reasonOf } from './check.ts';

/** Where the records are, or why that cannot be told. Looks at the embedded database without starting it. */
export const findDatabase = async (config: Config): Promise<{ url: string } | { check: Check }> => {
  if (config.DATABASE_URL !== undefined) return { url: config.DATABASE_URL };
  const directory = join(config.home, 'postgres');
  try {
    const server = await lookAtServer(join(directory, 'data'));
    if (server.type === 'ready') {
      const password = await readFile(passwordPath(directory), 'utf8');
      return { url: serverUrl(server.port, password.trim()) };
    }
    if (server.type === 'busy')
      return { check: ok('database', 'embedded, starting or stopping at this moment') };
    await findPostgresBinaries();
    return { check: ok('database', `embedded in ${directory}, not running (rendermill up starts it)`) };
  } catch (error) {
    return { check: missing('database', reasonOf(error), 'Run scripts/setup, or set DATABASE_URL.') };
  }
};
