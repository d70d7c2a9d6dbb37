/**
 * Whether the log says what happened: starts the real service on a scratch database and folder, renders and downloads, and holds
 * each event of core value against the files themselves — bytes on this disk, format and pixels out of their headers, checksums.
 *
 *   node --import tsx scripts/test-core-value-tracking.ts
 *
 * Prints a row for each check; exit code 1 on any miss.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '../src/client/client.ts';
import { createChecklist } from './support/checklist.ts';
import { checkBatches } from './support/core-value/check-batches.ts';
import { checkServerTracking } from './support/core-value/check-server-tracking.ts';
import { checkSingleRenders } from './support/core-value/check-single-renders.ts';
import { checkTotals } from './support/core-value/check-totals.ts';
import { openEventLog } from './support/read-log.ts';
import { type Service, startService } from './support/start-service.ts';

const checkAll = async (service: Service, folder: string, home: string): Promise<number> => {
  const log = await openEventLog(home);
  try {
    const list = createChecklist();
    const scene = { ...service, client: createClient(service), log, list, folder };
    await checkSingleRenders(scene);
    await checkBatches(scene);
    await checkServerTracking(scene);
    await checkTotals(scene);
    return list.print();
  } finally {
    await log.close();
  }
};

const folder = await mkdtemp(join(tmpdir(), 'rendermill-core-value-'));
let service: Service | undefined;
try {
  console.log('Starting a service of our own …');
  const home = join(folder, 'home');
  // The picture that is missing on purpose would be a warning.
  const started = await startService({ home, environment: { LOG_LEVEL: 'error' } });
  service = started;
  const interrupted = () => started.stop().finally(() => process.exit(130));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const misses = await checkAll(started, folder, home);
  console.log(misses === 0 ? '\nThe log says what happened.' : `\n${misses} of the checks missed.`);
  if (misses > 0) process.exitCode = 1;
} catch (error) {
  console.error(`test-core-value-tracking: ${error instanceof Error ? error.stack : error}`);
  process.exitCode = 1;
} finally {
  await service?.stop();
  await rm(folder, { recursive: true, force: true });
}
