/** API, worker, dispatcher and, unless DATABASE_URL says otherwise, the database, in one command. */
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleProject } from '../../features/compositions/bundle-project.ts';
import { migrateDatabase } from '../../platform/db/migrate.ts';
import { assertPortIsFree } from '../api/port-taken.ts';
import { startApi } from '../api/start-api.ts';
import { startDispatcherMaintenance } from '../dispatcher/maintenance.ts';
import { openDispatcher } from '../dispatcher/start-dispatcher.ts';
import { formatEventLine } from '../event-line.ts';
import { placeOfFiles } from '../open-storage.ts';
import type { Process } from '../process.ts';
import { nameEnvironment, openRecords, openResources, type Resources } from '../resources.ts';
import { tailEvents } from '../tail-events.ts';
import { startWorker } from '../worker/start-worker.ts';
import { leaveAddress, removeAddress } from './address-file.ts';
import { developmentKeyFile, developmentOrganization, ensureDevelopmentKey } from './development-key.ts';
import { lockFolder } from './folder-lock.ts';

/** The example compositions of the repository; a package without them starts without them. */
const exampleProject = fileURLToPath(new URL('../../../remotion', import.meta.url));

export const runUp = async (process: Process): Promise<void> => {
  const { config, lifecycle, log } = process;
  lifecycle.onStop('folder', await lockFolder(config.home));
  await assertPortIsFree(config);
  const records = await openRecords(process, { owner: true, mayCreate: true });
  await migrateDatabase(records.databaseUrl, log);
  await nameEnvironment(records.db, config.ENVIRONMENT);
  const resources = await openResources(process, records);
  const key = await ensureDevelopmentKey(resources.db, config.home);
  await removeAddress(config.home);
  lifecycle.onStop('address', () => removeAddress(config.home));
  // Before the worker, so that they stop after it: a client can watch the renders that are let end, and their events are printed.
  const api = await startApi(resources);
  const events = await tailEvents(resources, {
    sinceStart: false,
    organizationId: undefined,
    print: (event) => console.log(formatEventLine(event)),
  });
  lifecycle.onStop('printed events', () => events.stop());
  // Stops after the worker, whose last events it still delivers.
  const dispatcher = await openDispatcher(resources);
  startDispatcherMaintenance(resources);
  dispatcher.start();
  const worker = await startWorker(resources, { concurrency: config.WORKER_CONCURRENCY });
  const version = await bundleExample(resources, worker.browserExecutable);
  await leaveAddress(config.home, api.url);
  console.log(welcome(resources, { url: api.url, key, version }));
};

const bundleExample = async (resources: Resources, browserExecutable: string): Promise<string | null> => {
  const isThere = await access(exampleProject).then(
    () => true,
    () => false,
  );
  if (!isThere) return null;
  const workDirectory = join(resources.config.home, 'cache');
  await mkdir(workDirectory, { recursive: true });
  const { version } = await bundleProject(
    { ...resources, browserExecutable, workDirectory, allowedHosts: resources.config.ALLOWED_HOSTS },
    { organizationId: developmentOrganization, projectPath: exampleProject },
  );
  return version;
};

const welcome = (
  { config, queue }: Resources,
  shown: { url: string; key: string; version: string | null },
): string => `
Rendermill is up
  API        ${shown.url}   (documentation: ${shown.url}/docs)
  Key        ${shown.key}   (also in ${developmentKeyFile(config.home)})
  Database   ${config.DATABASE_URL === undefined ? `embedded, in ${join(config.home, 'postgres')}` : 'DATABASE_URL'}
  Queue      ${queue.backend}
  Files      ${placeOfFiles(config)}
  Examples   ${shown.version === null ? 'none' : `version ${shown.version}`}

Ctrl-C lets running renders end and stops; a second Ctrl-C stops at once. Events, as they happen:
`;
