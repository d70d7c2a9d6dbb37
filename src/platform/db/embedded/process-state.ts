import { readFile, readlink } from 'node:fs/promises';

/** `unknown`: alive, but this system or our rights do not let us see which program it is. */
export type ServerProcess = 'gone' | 'zombie' | 'ours' | 'other' | 'unknown';

/**
 * Whether a process is the Postgres of a data folder (given as its real path). Pids repeat, in containers at every start, so
 * being alive says little; and a zombie, which a container without an init process keeps for ever, answers to kill(pid, 0).
 */
export const serverProcess = async (pid: number, dataDirectory: string): Promise<ServerProcess> => {
  if (!answersSignals(pid)) return 'gone';
  if (process.platform !== 'linux') return 'unknown';
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return answersSignals(pid) ? 'unknown' : 'gone';
  if (isZombie(stat)) return 'zombie';
  const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (folder !== undefined) return folder === dataDirectory ? 'ours' : 'other';
  // Without the right to trace (root in most containers, for a process of another user) the command line is still readable.
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => undefined);
  if (command === undefined) return 'unknown';
  return command.split('\0').includes(dataDirectory) ? 'ours' : 'other';
};

/** The state follows the program's name, which stands in parentheses and may hold any character (proc(5)). */
export const isZombie = (stat: string): boolean => /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));

const answersSignals = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};
