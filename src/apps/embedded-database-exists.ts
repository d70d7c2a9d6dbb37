import { stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Only what is surely not there counts as absent: a folder that may not be read has its own error. */
export const embeddedDatabaseExists = (directory: string): Promise<boolean> =>
  stat(join(directory, 'data', 'PG_VERSION')).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
