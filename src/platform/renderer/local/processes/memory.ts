import { readFile } from 'node:fs/promises';
import type { ProcessEntry } from './process-table.ts';

/** Kilobytes from the text of /proc/<pid>/smaps_rollup. */
export const parsePssKb = (text: string): number => Number(/^Pss:\s+(\d+) kB$/m.exec(text)?.[1] ?? 0);

/**
 * Megabytes of memory of these processes, by proportional set size: a page that five processes share counts once. The sum of
 * their resident sizes would be about three times as much for a Chromium.
 */
export const readMemoryMb = async (entries: readonly ProcessEntry[]): Promise<number> => {
  const texts = await Promise.all(
    entries.map(({ pid }) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')),
  );
  return texts.map(parsePssKb).reduce((sum, kb) => sum + kb, 0) / 1024;
};
