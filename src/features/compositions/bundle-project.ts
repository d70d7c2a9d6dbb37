/**
 * A tenant's Remotion project becomes a version: built once per hash of its sources, kept in storage where every worker finds it,
 * its compositions registered with size, length and schema, so that the API never loads Remotion, React or a browser.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join, normalize } from 'node:path';
import { compileSchema } from '../../domain/compositions/compile-schema.ts';
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
  const version = await versionOf(project);
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

/** The sources, and which of them is the entry where that was said. */
const versionOf = async ({ projectPath, entryPoint }: ProjectToBundle): Promise<string> => {
  const sourceHash = await hashProject(projectPath);
  if (entryPoint === undefined) return sourceHash.slice(0, versionLength);
  const both = createHash('sha256')
    .update(`${sourceHash}\n${normalize(entryPoint)}`)
    .digest('hex');
  return both.slice(0, versionLength);
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
    return { compositions: compositions.map(withUsableSchema), sizeInBytes };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

/** A schema that cannot be used is told of here, not met by every request. */
const withUsableSchema = (composition: RegisteredComposition): RegisteredComposition => {
  if (composition.propsSchema === null) return composition;
  try {
    compileSchema(composition.propsSchema);
    return composition;
  } catch (error) {
    const note = `The schema cannot be used, so props are not checked: ${error instanceof Error ? error.message : error}`;
    return { ...composition, propsSchema: null, schemaNotes: [...composition.schemaNotes, note] };
  }
};
