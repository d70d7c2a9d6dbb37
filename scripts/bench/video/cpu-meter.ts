import { type ProcessSample, readProcText, readTree } from '../support/process-tree.ts';

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

const sampleMs = 100;

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
  const isRoot = ({ pid }: ProcessSample): boolean => pid === rootPid;
  const before = new Map(readTree(isRoot).map(({ key, seconds }) => [key, seconds]));
  const latest = new Map<string, { readonly part: Part; readonly seconds: number }>();
  let lookingMicroseconds = 0;
  const look = (): void => {
    const begun = process.cpuUsage();
    for (const { key, pid, seconds } of readTree(isRoot)) {
      // A forked process is called like its parent until it starts its program, so it is asked again and again.
      const command = readProcText(`/proc/${pid}/cmdline`);
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
