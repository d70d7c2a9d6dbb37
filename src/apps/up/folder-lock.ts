/** One `up` per folder: a second one is told who has it. A lock whose process is gone is taken over. */
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RendermillError } from '../../core/errors.ts';

interface Holder {
  readonly pid: number;
  /** Tells a process from a later one that was given the same number. */
  readonly startedAt: string;
}

/** Field 22 of /proc/<pid>/stat, clock ticks since boot; the name in field 2 may hold spaces and brackets. */
const startOf = async (pid: number): Promise<string | null> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? null : (fields[19] ?? null);
  } catch {
    return process.platform === 'linux' ? null : aliveElsewhere(pid);
  }
};

const aliveElsewhere = (pid: number): string | null => {
  try {
    process.kill(pid, 0);
    return 'unknown';
  } catch {
    return null;
  }
};

const readHolder = async (file: string): Promise<Holder | null> => {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return null;
  }
};

const isAlive = async (holder: Holder | null): Promise<boolean> =>
  holder !== null && (await startOf(holder.pid)) === holder.startedAt;

/** Returns the function that gives it back. Throws `invalid_configuration` where another process has it. */
export const lockFolder = async (directory: string): Promise<() => Promise<void>> => {
  await mkdir(directory, { recursive: true });
  const file = join(directory, 'up.lock');
  const mine = join(directory, `up.lock.${process.pid}`);
  const self: Holder = { pid: process.pid, startedAt: (await startOf(process.pid)) ?? 'unknown' };
  await writeFile(mine, JSON.stringify(self));
  try {
    // A link is made whole or not at all, so a half-written lock is never read.
    for (let tries = 0; tries < 3; tries++) {
      const taken = await link(mine, file).then(
        () => true,
        () => false,
      );
      if (taken) return () => rm(file, { force: true });
      const holder = await readHolder(file);
      if (await isAlive(holder)) throw heldBy(directory, holder?.pid);
      await rm(file, { force: true });
    }
    throw heldBy(directory, undefined);
  } finally {
    await rm(mine, { force: true });
  }
};

const heldBy = (directory: string, pid: number | undefined) =>
  new RendermillError('invalid_configuration', {
    message: `Rendermill is already up in ${directory}${pid === undefined ? '' : ` (process ${pid})`}. Stop it first, or choose another folder with RENDERMILL_HOME.`,
  });
