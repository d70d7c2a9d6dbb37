import { readMemoryMb } from './memory.ts';
import {
  hasProcessTable,
  isSameLiving,
  type ProcessEntry,
  readProcess,
  readProcessTable,
} from './process-table.ts';
import { browserOf, treeOf } from './process-tree.ts';
import type { SeenProcesses } from './reap.ts';

export interface Observation {
  /** Megabytes of the child and everything below it; 0 where that cannot be known. */
  readonly memoryMb: number;
  /** `none`: not opened yet, or it cannot be known. */
  readonly browser: 'none' | 'alive' | 'gone';
}

/** What is known of a child's processes, which grows with every look. */
export interface WatchedTree {
  /** Everything that was ever seen in it, for the reaper. */
  readonly seen: SeenProcesses;
  observe(): Promise<Observation>;
  /** Cheaper than a look at the whole tree: whether the browser that was seen has died. */
  hasLostBrowser(): Promise<boolean>;
}

const nothing: Observation = { memoryMb: 0, browser: 'none' };

export const watchTree = (childPid: number): WatchedTree => {
  const seen: SeenProcesses = new Map();
  let browser: ProcessEntry | null = null;
  return {
    seen,
    observe: async () => {
      if (!hasProcessTable) return nothing;
      const table = readProcessTable();
      const tree = treeOf(table, childPid);
      for (const { pid, startTicks } of tree) seen.set(pid, startTicks);
      browser ??= browserOf(table, childPid);
      const memoryMb = await readMemoryMb(tree);
      if (browser === null) return { memoryMb, browser: 'none' };
      const isAlive = isSameLiving(table.get(browser.pid), browser.startTicks);
      return { memoryMb, browser: isAlive ? 'alive' : 'gone' };
    },
    hasLostBrowser: async () =>
      browser !== null && !isSameLiving(await readProcess(browser.pid), browser.startTicks),
  };
};
