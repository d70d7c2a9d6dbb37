import { rm } from 'node:fs/promises';
import { bundle } from '@remotion/bundler';
import { bundleFailed } from './bundle-failed.ts';
import { type CompileError, collectErrors } from './collect-errors.ts';
import { explainCompileErrors } from './explain-failure.ts';
import { refusePlaylists } from './refuse-playlists.ts';
import { writeEntry } from './write-entry.ts';

export interface CompileOptions {
  readonly projectPath: string;
  readonly entryPoint: string;
  readonly outputDirectory: string;
}

/**
 * One folder with index.html, the code and the project's public files. Changes the working directory of the process meanwhile:
 * only for a process of its own.
 */
export const compile = async ({
  projectPath,
  entryPoint,
  outputDirectory,
}: CompileOptions): Promise<void> => {
  const entry = await writeEntry(outputDirectory, entryPoint);
  const links: string[] = [];
  const errors: CompileError[] = [];
  try {
    await bundle({
      entryPoint: entry,
      rootDir: projectPath,
      outDir: outputDirectory,
      rspack: true,
      // It would write into the project's node_modules, and saves nothing with this bundler.
      enableCaching: false,
      bundlerOverride: collectErrors(errors),
      onSymlinkDetected: (path) => void links.push(path),
    });
  } catch (cause) {
    if (errors.length === 0) throw cause;
    throw bundleFailed(explainCompileErrors(errors, projectPath), { cause });
  } finally {
    await rm(entry, { force: true });
  }
  if (links.length > 0) {
    throw bundleFailed(
      `The public folder contains symbolic links, which cannot be deployed: ${links.join(', ')}.`,
    );
  }
  await refusePlaylists(outputDirectory);
};
