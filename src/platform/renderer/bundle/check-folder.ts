import { stat } from 'node:fs/promises';
import { bundleFailed } from './bundle-failed.ts';

/** Else the first file that is looked for would be said to be missing. */
export const checkFolder = async (projectPath: string): Promise<void> => {
  const isFolder = await stat(projectPath).then(
    (found) => found.isDirectory(),
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT' && error.code !== 'ENOTDIR',
  );
  if (!isFolder) throw bundleFailed(`There is no folder ${projectPath}.`);
};
