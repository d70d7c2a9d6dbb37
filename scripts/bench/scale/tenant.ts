/** The records that a render needs: an organization, its key, and the composition. */
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { createApiKey } from '../../../src/domain/accounts/api-keys.ts';
import { ensureOrganization } from '../../../src/domain/accounts/organizations.ts';
import { bundleProject } from '../../../src/features/compositions/bundle-project.ts';
import { systemClock } from '../../../src/platform/clock/clock.ts';
import type { Database } from '../../../src/platform/db/client.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import { entryPoint, projectPath, type Workshop } from './job.ts';

const organizationId = 'bench';

/** Resolves with the key. `home` is the service's. */
export const createTenant = async (db: Database, home: string, workshop: Workshop): Promise<string> => {
  const { key } = await db.transaction().execute(async (tx) => {
    await ensureOrganization(tx, { id: organizationId });
    return createApiKey(tx, { organizationId, kind: 'secret', name: 'bench' });
  });
  const workDirectory = join(home, 'cache');
  const directory = join(home, 'storage');
  await Promise.all([workDirectory, directory].map((folder) => mkdir(folder, { recursive: true })));
  await bundleProject(
    {
      db,
      storage: createFolderStorage({ directory }),
      clock: systemClock,
      log: createLogger({ level: 'warn' }),
      browserExecutable: workshop.browserExecutable,
      allowedHosts: [],
      workDirectory,
    },
    // The composition lies elsewhere than the public folder that it takes its sound from.
    { organizationId, projectPath, entryPoint: relative(projectPath, entryPoint) },
  );
  return key;
};
