import { dropOldWindows } from '../../domain/artifacts/download-window.ts';
import { expireArtifacts } from '../../domain/artifacts/expire-artifacts.ts';
import { removeStrays } from '../../domain/artifacts/stray-objects.ts';
import { dropOldStagedBatches } from '../../domain/batches/stage-batch.ts';
import { dropOldEventKeys } from '../../domain/events/drop-old-keys.ts';
import { dropExpiredKeys } from '../../domain/exports/idempotency.ts';
import { startWakeableLoop, type WakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import { ensureEventPartitions } from '../../platform/db/migrate.ts';
import type { Resources } from '../resources.ts';

const hourly = 3_600_000;
const daily = 24 * hourly;

/**
 * What grows is trimmed, and next months' partitions are made. Each part may run anywhere, any time, and twice; one that fails keeps no
 * other from its turn.
 */
export const startMaintenance = (resources: Resources): WakeableLoop => {
  const { clock, log } = resources;
  // Not at the start: a whole storage is listed for it, and whoever starts again and again would list all day.
  let straysDueMs = clock.now().getTime() + hourly;
  return startWakeableLoop({
    everyMs: hourly,
    round: async () => {
      const now = clock.now();
      await runAll(resources, now);
      if (now.getTime() < straysDueMs) return;
      straysDueMs = now.getTime() + daily;
      await removeStrays(resources, now);
    },
    onError: (error) => log.warn({ err: error }, 'the hourly maintenance failed'),
  });
};

const runAll = async (resources: Resources, now: Date): Promise<void> => {
  const { db, storage, log } = resources;
  const parts: Readonly<Record<string, () => Promise<unknown>>> = {
    'event partitions': () => ensureEventPartitions(db, now),
    'idempotency keys': () => dropExpiredKeys(db, now),
    'download windows': () => dropOldWindows(db, now),
    'event keys': () => dropOldEventKeys(db, now),
    'staged batches': () => dropOldStagedBatches(db, new Date(now.getTime() - hourly)),
    'unfinished uploads': () => storage.sweepIncoming(hourly),
    'expired files': () => expireArtifacts(resources, now),
  };
  for (const [part, run] of Object.entries(parts)) {
    await run().catch((err: unknown) => log.warn({ err, part }, 'a part of the hourly maintenance failed'));
  }
};
