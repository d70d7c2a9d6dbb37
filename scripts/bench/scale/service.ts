/** A service whose parts are processes of their own, as in production: Postgres, the API, and workers, whose CPU is what counts. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient } from '../../../src/client/client.ts';
import { createApiKey } from '../../../src/domain/accounts/api-keys.ts';
import { ensureOrganization } from '../../../src/domain/accounts/organizations.ts';
import { liveCapacity } from '../../../src/domain/exports/workers.ts';
import { bundleProject } from '../../../src/features/compositions/bundle-project.ts';
import { systemClock } from '../../../src/platform/clock/clock.ts';
import { type Database, openDatabase } from '../../../src/platform/db/client.ts';
import { startEmbeddedPostgres } from '../../../src/platform/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../../../src/platform/db/migrate.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import { freePort } from '../../../test/support/redis.ts';
import { entryPoint, projectPath, root, type Workshop } from './job.ts';
import { endProcess, pidOf, startCommand } from './processes.ts';
import { warmUp } from './warm-up.ts';

const command = join(root, 'scripts', 'rendermill');
const startTimeoutMs = 120_000;
const organizationId = 'bench';
/** Below the usual 20, so that a short look is cut as well. */
export const chunkAfterSeconds = 5;
/** A worker is one machine: one render at a time, which takes all cores. */
const slotsOfWorker = 1;

const until = async (check: () => Promise<boolean>, what: string): Promise<void> => {
  const deadline = Date.now() + startTimeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error(`${what} did not come within ${startTimeoutMs / 1000} s`);
    await sleep(100);
  }
};

export interface Workers {
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

export interface ScaleService {
  readonly db: Database;
  readonly client: Client;
  /** Resolves when each of them has rendered: their browsers are open, the bundle is unpacked. */
  startWorkers(count: number): Promise<Workers>;
  stop(): Promise<void>;
}
