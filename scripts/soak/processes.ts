/** The processes of a service: what they are, and which of them are left when it has ended. */
import { readFileSync } from 'node:fs';
import {
  isLiving,
  isSameLiving,
  type ProcessEntry,
  readProcessTable,
} from '../../src/platform/renderer/local/processes/process-table.ts';

export type Role = 'node' | 'browser' | 'part of a browser' | 'postgres' | 'other';

export interface ServiceProcess extends ProcessEntry {
  readonly role: Role;
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const commandOf = (pid: number): string => readText(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();

/** By its command line. A browser has many processes; the one that listens for commands stands for it. */
export const roleOf = (command: string): Role => {
  const [program = ''] = command.split(' ');
  if (/(^|\/)postgres:?$/.test(program)) return 'postgres';
  if (/ --type=/.test(command)) return 'part of a browser';
  if (/ --remote-debugging-p/.test(command)) return 'browser';
  return /(^|\/)node$/.test(program) ? 'node' : 'other';
};

export const withRole = (entry: ProcessEntry): ServiceProcess => ({
  ...entry,
  role: roleOf(commandOf(entry.pid)),
});

const namesFolder = (pid: number, folder: string): boolean =>
  readText(`/proc/${pid}/cmdline`).includes(folder) || readText(`/proc/${pid}/environ`).includes(folder);

export interface ProcessWatch {
  /** Remembers them: a part of a browser that has lost its parent carries no trace of where it came from. */
  note(entries: readonly ProcessEntry[]): void;
  /** `pid command` of what was noted, or names the folder in its command line or environment, and lives. */
  left(): readonly string[];
}

export const watchProcesses = (folder: string): ProcessWatch => {
  const noted = new Map<number, number>();
  return {
    note: (entries) => {
      for (const { pid, startTicks } of entries) noted.set(pid, startTicks);
    },
    left: () =>
      [...readProcessTable().values()]
        .filter((entry) => entry.pid !== process.pid && isLiving(entry))
        .filter(
          (entry) =>
            isSameLiving(entry, noted.get(entry.pid) ?? Number.NaN) || namesFolder(entry.pid, folder),
        )
        .map(({ pid }) => `${pid} ${commandOf(pid)}`),
  };
};
