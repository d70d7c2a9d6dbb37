import { readdirSync, readFileSync } from 'node:fs';

/** CPU seconds of user and system. */
export interface CpuShares {
  /** React, layout and paint. */
  readonly page: number;
  /** Putting the picture together (`gpu-process`, without a GPU) and turning it into a jpeg (the browser's main process). */
  readonly screenshot: number;
  readonly encoder: number;
  /** Remotion in Node, and whoever waits for it. */
  readonly node: number;
  readonly total: number;
}

type Part = Exclude<keyof CpuShares, 'total'>;

interface Sample {
  readonly key: string;
  readonly pid: number;
  readonly parentPid: number;
  readonly seconds: number;
}

const ticksPerSecond = 100;
const sampleMs = 100;

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

const readSample = (pid: string): Sample | null => {
  const line = readText(`/proc/${pid}/stat`);
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  if (fields.length < 20) return null;
  const seconds = (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  return { key: `${pid} ${fields[19]}`, pid: Number(pid), parentPid: Number(fields[1]), seconds };
};

const readTree = (rootPid: number): readonly Sample[] => {
  const all = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const samples = all.map(readSample).filter((sample) => sample !== null);
  const childrenOf = new Map<number, Sample[]>();
  for (const one of samples) childrenOf.set(one.parentPid, [...(childrenOf.get(one.parentPid) ?? []), one]);
  const tree = samples.filter(({ pid }) => pid === rootPid);
  for (const { pid } of tree) tree.push(...(childrenOf.get(pid) ?? []));
  return tree;
};

const partOf = (command: string): Part => {
  if (/ffmpeg|ffprobe/.test(command.split('\0')[0] ?? '')) return 'encoder';
  if (command.includes('--type=renderer')) return 'page';
  return /--type=|--remote-debugging-port/.test(command) ? 'screenshot' : 'node';
};

/**
 * Counts what this process and all below it use from now on, until the returned function is called. Looked at ten times a second: of a
 * process that lives shorter, the rest is missed. What the looking costs is not counted.
 */
export const startCpuMeter = (rootPid = process.pid): (() => CpuShares) => {
  const before = new Map(readTree(rootPid).map(({ key, seconds }) => [key, seconds]));
  const latest = new Map<string, { readonly part: Part; readonly seconds: number }>();
  let lookingMicroseconds = 0;
  const look = (): void => {
    const begun = process.cpuUsage();
    for (const { key, pid, seconds } of readTree(rootPid)) {
      // A forked process is called like its parent until it starts its program, so it is asked again and again.
      const command = readText(`/proc/${pid}/cmdline`);
      const part = command === '' ? (latest.get(key)?.part ?? 'node') : partOf(command);
      latest.set(key, { part, seconds: seconds - (before.get(key) ?? 0) });
    }
    const { user, system } = process.cpuUsage(begun);
    lookingMicroseconds += user + system;
  };
  const timer = setInterval(look, sampleMs);
  return () => {
    clearInterval(timer);
    look();
    const sum = (part: Part | null): number =>
      [...latest.values()].reduce(
        (all, one) => all + (part === null || one.part === part ? one.seconds : 0),
        0,
      );
    const looking = lookingMicroseconds / 1e6;
    return {
      page: sum('page'),
      screenshot: sum('screenshot'),
      encoder: sum('encoder'),
      node: sum('node') - looking,
      total: sum(null) - looking,
    };
  };
};
