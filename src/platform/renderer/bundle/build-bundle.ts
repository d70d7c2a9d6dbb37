import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { RendermillError } from '../../../core/errors.ts';
import type { Logger } from '../../log/log.ts';
import type { BuildAnswer } from './build-messages.ts';
import { bundleFailed } from './bundle-failed.ts';
import { checkFolder } from './check-folder.ts';
import { checkRemotionVersions } from './check-remotion-versions.ts';
import type { CompositionDescription } from './entry/protocol.ts';
import { findEntryPoint } from './find-entry-point.ts';
import { hashProject } from './hash-project.ts';
import { runBuildChild } from './run-build-child.ts';

export type { CompositionDescription } from './entry/protocol.ts';

export interface BuildBundleOptions {
  readonly projectPath: string;
  /** Empty or not there yet; afterwards it holds index.html. Removed when the build fails. One build per folder. */
  readonly outputDirectory: string;
  readonly browserExecutable: string;
  /** Relative to the project; absent: found by convention. */
  readonly entryPoint?: string;
  /** Which hosts calculateMetadata may reach while the bundle is described. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Files and folders outside of the project that it imports from; they count in the source hash. */
  readonly alsoFrom?: readonly string[];
  /** For compiling and describing together. Default: two minutes. */
  readonly deadlineMs?: number;
  readonly log?: Logger;
}

export interface BuiltBundle {
  readonly sourceHash: string;
  /** Relative to the project. */
  readonly entryPoint: string;
  readonly compositions: readonly CompositionDescription[];
}

const defaultDeadlineMs = 120_000;

const compositionsOf = (answer: BuildAnswer): readonly CompositionDescription[] => {
  if (answer.kind === 'built') return answer.compositions;
  if (answer.kind === 'failed')
    throw bundleFailed(answer.message, answer.details ? { details: answer.details } : {});
  throw new RendermillError('internal', { cause: new Error(answer.message) });
};

const inTemporaryDirectory = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'rendermill-build-'));
  try {
    return await work(directory);
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 3 });
  }
};

/**
 * Bundles a Remotion project, with our own compositions beside the project's, and describes what is in it. The project's code runs in a
 * browser behind the egress guard, the bundler in a process of its own. Rejects with `bundle_failed` in words for the project's
 * developer.
 */
export const buildBundle = async (options: BuildBundleOptions): Promise<BuiltBundle> => {
  const projectPath = resolve(options.projectPath);
  const outputDirectory = resolve(options.outputDirectory);
  await checkFolder(projectPath);
  await checkRemotionVersions(projectPath);
  const entryPoint = await findEntryPoint(projectPath, options.entryPoint);
  const sourceHash = await hashProject(projectPath, options.alsoFrom ? { alsoFrom: options.alsoFrom } : {});
  await mkdir(outputDirectory, { recursive: true });
  try {
    const answer = await inTemporaryDirectory((directory) =>
      runBuildChild(
        {
          projectPath,
          outputDirectory,
          entryPoint,
          directory,
          browserExecutable: options.browserExecutable,
          allowedHosts: options.allowedHosts ?? [],
        },
        options.deadlineMs ?? defaultDeadlineMs,
      ),
    );
    const compositions = compositionsOf(answer);
    if (answer.kind === 'built') {
      const { compileMs, describeMs } = answer;
      options.log?.info(
        { projectPath, sourceHash, compileMs, describeMs, compositions: compositions.length },
        'bundle built',
      );
    }
    return { sourceHash, entryPoint: relative(projectPath, entryPoint), compositions };
  } catch (error) {
    await rm(outputDirectory, { recursive: true, force: true });
    throw error;
  }
};
