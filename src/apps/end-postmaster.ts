import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Asks the embedded Postgres to stop and does not wait: for the end of a process that has no time left. Its own file says whether
 * the process of that number is still the server. Windows has no such signal: there it runs on, and the next start adopts it.
 */
export const endPostmaster = (directory: string, pid: number): void => {
  if (process.platform === 'win32') return;
  try {
    const file = readFileSync(join(directory, 'data', 'postmaster.pid'), 'utf8');
    if (Number(file.split('\n', 1)[0]) === pid) process.kill(pid, 'SIGINT');
  } catch {
    // It has stopped already, or belongs to somebody else.
  }
};
