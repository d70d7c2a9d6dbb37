import { readFile } from 'node:fs/promises';
import { isLiving, type ProcessEntry, type ProcessTable } from './process-table.ts';

/** Whether a program with this environment and these arguments keeps its temporary files in `directory` or below it. */
export const keepsFilesIn = (
  directory: string,
  environment: readonly string[],
  args: readonly string[],
): boolean => {
  const isInside = (path: string): boolean => path === directory || path.startsWith(`${directory}/`);
  const valuesOf = (texts: readonly string[], name: string): readonly string[] =>
    texts.filter((text) => text.startsWith(name)).map((text) => text.slice(name.length));
  return [...valuesOf(environment, 'TMPDIR='), ...valuesOf(args, '--user-data-dir=')].some(isInside);
};

const readTexts = async (path: string): Promise<readonly string[]> =>
  (await readFile(path, 'utf8').catch(() => '')).split('\0');

const belongsTo = async (directory: string, { pid }: ProcessEntry): Promise<boolean> => {
  const [environment, args] = await Promise.all([
    readTexts(`/proc/${pid}/environ`),
    readTexts(`/proc/${pid}/cmdline`),
  ]);
  return keepsFilesIn(directory, environment, args);
};

/** Finds what lost its parent, and with it its place in the tree. Never this process itself. */
export const belongingsOf = async (
  directory: string,
  table: ProcessTable,
): Promise<readonly ProcessEntry[]> => {
  const candidates = [...table.values()].filter((entry) => isLiving(entry) && entry.pid !== process.pid);
  const answers = await Promise.all(candidates.map((entry) => belongsTo(directory, entry)));
  return candidates.filter((_, index) => answers[index]);
};
