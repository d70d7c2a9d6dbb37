import { setTimeout as sleep } from 'node:timers/promises';
import { belongingsOf } from './belongings.ts';
import {
  hasProcessTable,
  isSameLiving,
  type ProcessEntry,
  type ProcessTable,
  readProcessTable,
} from './process-table.ts';
import { treeOf } from './process-tree.ts';

/** Start times by pid. */
export type SeenProcesses = Map<number, number>;

export interface ReapTarget {
  /** Null: only what belongs to the directory. */
  readonly childPid: number | null;
  /** Absolute; the temporary directory that only these processes use. */
  readonly directory: string;
  /** What was seen of the tree while it stood. Chromium's helpers carry no trace of the directory once their browser is dead. */
  readonly seen: SeenProcesses;
}

const roundMs = 20;
/** A process in an uninterruptible system call outlives SIGKILL until that call returns; longer than this nobody waits. */
const maxRounds = 500;

const kill = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone before, which is what we want.
  }
};

const findLiving = async (target: ReapTarget, table: ProcessTable): Promise<readonly ProcessEntry[]> => {
  const belongings = await belongingsOf(target.directory, table);
  const seen = [...target.seen].filter(([pid, startTicks]) => isSameLiving(table.get(pid), startTicks));
  const roots = new Set([...belongings.map(({ pid }) => pid), ...seen.map(([pid]) => pid)]);
  const living = [...roots].flatMap((pid) => treeOf(table, pid));
  for (const { pid, startTicks } of living) target.seen.set(pid, startTicks);
  return living;
};

/** Groups first: a group dies in one call, also with a member that was born after we looked. */
const killAll = (living: readonly ProcessEntry[], ownGroupId: number | undefined): void => {
  const groups = new Set(living.map(({ groupId }) => groupId));
  for (const groupId of groups) if (groupId > 1 && groupId !== ownGroupId) kill(-groupId);
  for (const { pid } of living) kill(pid);
};

/**
 * Ends every process that the child started, in whatever group it hides, and returns when two looks in a row found none.
 * Without a process table only the child's own group can be reached.
 */
export const reap = async (target: ReapTarget): Promise<void> => {
  if (!hasProcessTable) {
    if (target.childPid !== null) kill(-target.childPid);
    return;
  }
  let emptyRounds = 0;
  for (let round = 0; emptyRounds < 2 && round < maxRounds; round++) {
    const table = readProcessTable();
    const living = await findLiving(target, table);
    killAll(living, table.get(process.pid)?.groupId);
    emptyRounds = living.length === 0 ? emptyRounds + 1 : 0;
    await sleep(roundMs);
  }
};
