import { isLiving, type ProcessEntry, type ProcessTable } from './process-table.ts';

/** The living processes that descend from `rootPid`, and itself. */
export const treeOf = (table: ProcessTable, rootPid: number): readonly ProcessEntry[] => {
  const children = new Map<number, ProcessEntry[]>();
  for (const entry of table.values()) {
    children.set(entry.parentPid, [...(children.get(entry.parentPid) ?? []), entry]);
  }
  const root = table.get(rootPid);
  const tree: ProcessEntry[] = root === undefined ? [] : [root];
  for (const parent of tree) tree.push(...(children.get(parent.pid) ?? []));
  return tree.filter(isLiving);
};

/**
 * The browser's main process: of all that Remotion starts, only the browser leads a process group of its own. (ffmpeg and the
 * compositor stay in the group of their parent.)
 */
export const browserOf = (table: ProcessTable, childPid: number): ProcessEntry | null =>
  treeOf(table, childPid).find((entry) => entry.parentPid === childPid && entry.groupId === entry.pid) ??
  null;
