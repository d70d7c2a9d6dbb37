/** What /proc tells of some processes and of all below them. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessSample {
  /** A pid is given out again; with the time of its start it is not. */
  readonly key: string;
  readonly pid: number;
  readonly parentPid: number;
  /** CPU seconds of its own, user and system. */
  readonly seconds: number;
  /** CPU seconds of children that have ended, and of theirs. */
  readonly reapedSeconds: number;
}

const ticksPerSecond = 100;

export const readProcText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const readSample = (pid: string): ProcessSample | null => {
  const line = readProcText(`/proc/${pid}/stat`);
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return null;
  const [user, system, reapedUser, reapedSystem] = fields.slice(11, 15).map(Number) as [
    number,
    number,
    number,
    number,
  ];
  return {
    key: `${pid} ${fields[19]}`,
    pid: Number(pid),
    parentPid: Number(fields[1]),
    seconds: (user + system) / ticksPerSecond,
    reapedSeconds: (reapedUser + reapedSystem) / ticksPerSecond,
  };
};

export const readTree = (isRoot: (sample: ProcessSample) => boolean): readonly ProcessSample[] => {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const samples = all.map(readSample).filter((sample) => sample !== null);
  const childrenOf = new Map<number, ProcessSample[]>();
  for (const one of samples) childrenOf.set(one.parentPid, [...(childrenOf.get(one.parentPid) ?? []), one]);
  const tree = new Set(samples.filter(isRoot));
  // A set hands out what is added to it meanwhile.
  for (const { pid } of tree) for (const child of childrenOf.get(pid) ?? []) tree.add(child);
  return [...tree];
};
