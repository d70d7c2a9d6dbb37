/** CPU of process trees that are not ours: nothing that measures is in them. */
import { type ProcessSample, readTree } from '../support/process-tree.ts';
import type { Measured } from './job.ts';

const sampleMs = 100;

/** Of the processes that have ended, by the pid of their parent. */
const byParent = (samples: readonly ProcessSample[]): ReadonlyMap<number, readonly ProcessSample[]> => {
  const found = new Map<number, ProcessSample[]>();
  for (const one of samples) found.set(one.parentPid, [...(found.get(one.parentPid) ?? []), one]);
  return found;
};

/**
 * Counts the user and system seconds of these processes and of all below them, until the returned function is called; who was below them
 * once stays counted, whoever inherits it. They are looked at ten times a second. What nobody saw (a process that came and went between
 * two looks, the last moments of one) is known to the parent that waited for it, and taken from there.
 */
const startCpuMeter = (rootPids: readonly number[]): (() => number) => {
  const before = new Map<string, ProcessSample>();
  const latest = new Map<string, ProcessSample>();
  const isRoot = ({ pid, key }: ProcessSample): boolean => rootPids.includes(pid) || latest.has(key);
  const look = (): ReadonlySet<string> => {
    const tree = readTree(isRoot);
    for (const sample of tree) latest.set(sample.key, sample);
    return new Set(tree.map(({ key }) => key));
  };
  look();
  for (const [key, sample] of latest) before.set(key, sample);
  const timer = setInterval(look, sampleMs);
  return () => {
    clearInterval(timer);
    const living = look();
    const endedBelow = byParent([...latest.values()].filter(({ key }) => !living.has(key)));
    const seenBelow = ({ pid }: ProcessSample): number =>
      (endedBelow.get(pid) ?? []).reduce(
        (sum, one) => sum + one.seconds + Math.max(one.reapedSeconds, seenBelow(one)),
        0,
      );
    const used = (one: ProcessSample): number => {
      const reaped = one.reapedSeconds - (before.get(one.key)?.reapedSeconds ?? 0);
      return one.seconds - (before.get(one.key)?.seconds ?? 0) + Math.max(0, reaped - seenBelow(one));
    };
    return [...latest.values()].reduce((sum, one) => sum + used(one), 0);
  };
};

/** Wall and CPU of what these processes do until the work is done. */
export const measureWork = async (
  rootPids: readonly number[],
  work: () => Promise<unknown>,
): Promise<Measured> => {
  const stopMeter = startCpuMeter(rootPids);
  try {
    const begun = performance.now();
    await work();
    const wallSeconds = (performance.now() - begun) / 1000;
    return { wallSeconds, cpuSeconds: stopMeter() };
  } catch (error) {
    stopMeter();
    throw error;
  }
};
