import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasProcessTable, isSameLiving, parseStat, readProcess } from './processes/process-table.ts';

const ownerFile = 'owner.json';

/** Says whose folder this is. The start time tells the owner from a later process that was given its pid. */
interface Owner {
  readonly pid: number;
  readonly startTicks: number;
}

const ownStartTicks = (): number =>
  hasProcessTable ? (parseStat(readFileSync('/proc/self/stat', 'utf8'))?.startTicks ?? 0) : 0;

/** Creates the folder as this process's own. */
export const claimDirectory = (directory: string): void => {
  const owner: Owner = { pid: process.pid, startTicks: ownStartTicks() };
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, ownerFile), JSON.stringify(owner));
};

const isOwner = (value: unknown): value is Owner =>
  typeof value === 'object' &&
  value !== null &&
  'pid' in value &&
  'startTicks' in value &&
  Number.isInteger(value.pid) &&
  Number.isInteger(value.startTicks);

const readOwner = async (directory: string): Promise<Owner | null> => {
  try {
    const value: unknown = JSON.parse(await readFile(join(directory, ownerFile), 'utf8'));
    return isOwner(value) ? value : null;
  } catch {
    return null;
  }
};

const isAlive = async ({ pid, startTicks }: Owner): Promise<boolean> => {
  if (hasProcessTable) return isSameLiving(await readProcess(pid), startTicks);
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

/** `unknown`: nobody claimed it, so it is not ours to judge. */
export const ownerState = async (directory: string): Promise<'alive' | 'dead' | 'unknown'> => {
  const owner = await readOwner(directory);
  if (owner === null) return 'unknown';
  return (await isAlive(owner)) ? 'alive' : 'dead';
};
