import { readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../log/log.ts';
import { ownerState } from './owner.ts';
import { reap } from './processes/reap.ts';

/**
 * At the start of a worker: ends what a killed worker left running and removes its folder. `parentDirectory` holds the work
 * directories of this machine's workers and must not be shared with another machine or container, whose pids mean nothing here.
 * Returns the folders that were removed.
 */
export const sweepLeftovers = async (parentDirectory: string, log: Logger): Promise<readonly string[]> => {
  const parent = await realpath(parentDirectory).catch(() => null);
  if (parent === null) return [];
  const entries = await readdir(parent, { withFileTypes: true });
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(parent, entry.name));
  const swept: string[] = [];
  for (const directory of folders) {
    if ((await ownerState(directory)) !== 'dead') continue;
    await reap({ childPid: null, directory, seen: new Map() });
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
    log.info({ directory }, 'removed what a dead worker had left');
    swept.push(directory);
  }
  return swept;
};
