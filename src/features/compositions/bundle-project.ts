/**
 * A tenant's Remotion project becomes a version: built once per hash of its sources, kept in storage where every worker finds it,
 * its compositions registered with size, length and schema, so that the API never loads Remotion, React or a browser.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findVersion } from '../../domain/compositions/find-compositions.ts';
import { type RegisteredComposition, registerBundle } from '../../domain/compositions/register-bundle.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import { buildBundle } from '../../platform/renderer/bundle/build-bundle.ts';
import { packBundle } from '../../platform/renderer/bundle/bundle-archive.ts';
import { hashProject } from '../../platform/renderer/bundle/hash-project.ts';
import type { Storage } from '../../platform/storage/contract.ts';

export interface BundleProjectDeps {
  readonly db: Database;
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
  readonly browserExecutable: string;
  /** What a calculateMetadata may reach while the compositions are described. */
  readonly allowedHosts: readonly string[];
  /** Builds happen in folders below it. */
  readonly workDirectory: string;
}

export interface ProjectToBundle {
  readonly organizationId: string;
  readonly projectPath: string;
  readonly entryPoint?: string;
}

export interface BundledProject {
  readonly version: string;
  readonly compositions: readonly RegisteredComposition[];
  /** False where this version was there already: then it is merely the newest again. */
  readonly built: boolean;
}

/** 64 bits of the sources' hash: what a person can still read out. */
const versionLength = 16;

const bundleKey = (organizationId: string, version: string): string =>
  `bundles/${organizationId}/${version}.tar`;

export const bundleProject = async (
  deps: BundleProjectDeps,
  project: ProjectToBundle,
): Promise<BundledProject> => {
  const sourceHash = await hashProject(project.projectPath);
  const version = sourceHash.slice(0, versionLength);
  const storageKey = bundleKey(project.organizationId, version);
  const known = await findVersion(deps.db, project.organizationId, version);
  const stored = await deps.storage.stat(storageKey);
  const built = known === undefined || stored === null ? await build(deps, project, storageKey) : undefined;
  const compositions = built?.compositions ?? known?.compositions ?? [];
  await deps.db.transaction().execute((tx) =>
    registerBundle(
      tx,
      {
        organizationId: project.organizationId,
        version,
        storageKey,
        sizeInBytes: built?.sizeInBytes ?? stored?.sizeInBytes ?? 0,
        compositions,
      },
      deps.clock.now(),
    ),
  );
  return { version, compositions, built: built !== undefined };
};

const build = async (deps: BundleProjectDeps, project: ProjectToBundle, storageKey: string) => {
  const directory = await mkdtemp(join(deps.workDirectory, 'bundle-'));
  try {
    const output = join(directory, 'site');
    const { compositions } = await buildBundle({
      projectPath: project.projectPath,
      outputDirectory: output,
      browserExecutable: deps.browserExecutable,
      allowedHosts: deps.allowedHosts,
      log: deps.log,
      ...(project.entryPoint === undefined ? {} : { entryPoint: project.entryPoint }),
    });
    const { sizeInBytes } = await deps.storage.put(storageKey, packBundle(output));
    return { compositions, sizeInBytes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};
