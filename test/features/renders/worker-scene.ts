/** What a worker stands in, for a whole test file: a database with its listener, and a folder for its files. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import type { RunRenderDeps } from '../../../src/features/renders/render-deps.ts';
import { openListener } from '../../../src/platform/db/listener.ts';
import type { Renderer } from '../../../src/platform/renderer/contract.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import {
  createOrganization,
  createTestClock,
  createUser,
  openTestDatabase,
  registerCompositions,
  silentLog,
} from '../../support/factories.ts';

export const openWorkerScene = async () => {
  const { db, url, close } = await openTestDatabase();
  const listener = await openListener(url, silentLog);
  const directory = await mkdtemp(join(tmpdir(), 'rendermill-worker-'));
  afterAll(async () => {
    await listener.close();
    await close();
    await rm(directory, { recursive: true, force: true });
  });

  /** A worker with that renderer, and an organization with a user to render for. */
  const employ = async (renderer: Renderer) => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId);
    const who = await createUser(db, organizationId);
    const outputDirectory = join(directory, organizationId, 'output');
    const deps: RunRenderDeps = {
      db,
      storage: createFolderStorage({ directory: join(directory, organizationId, 'storage') }),
      renderer,
      bundles: { path: async ({ version }) => `/bundles/${version}` },
      listener,
      clock: createTestClock(),
      log: silentLog,
      workerId: newId(),
      outputDirectory,
      timeLimits: { stillMs: 1000, videoMs: 2000 },
    };
    /** Names of what the worker has left on this machine. */
    const leftovers = async () => readdir(outputDirectory).catch(() => []);
    return { deps, who, organizationId, leftovers };
  };
  return { db, directory, employ };
};
