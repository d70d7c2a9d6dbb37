import { dropOldWindows } from '../../domain/artifacts/download-window.ts';
import { dropOldStagedBatches } from '../../domain/batches/stage-batch.ts';
import { dropOldEventKeys } from '../../domain/events/drop-old-keys.ts';
import { dropExpiredKeys } from '../../domain/exports/idempotency.ts';
import { startWakeableLoop, type WakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import { ensureEventPartitions } from '../../platform/db/migrate.ts';
import type { Resources } from '../resources.ts';

const hourly = 3_600_000;

/** What grows is trimmed, and next months' partitions are made. Each part may run anywhere, any time, and twice. */
export const startMaintenance = ({ db, clock, log, storage }: Resources): WakeableLoop =>
  startWakeableLoop({
    everyMs: hourly,
    round: async () => {
      const now = clock.now();
      await ensureEventPartitions(db, now);
      await dropExpiredKeys(db, now);
      await dropOldWindows(db, now);
      await dropOldEventKeys(db, now);
      await dropOldStagedBatches(db, new Date(now.getTime() - hourly));
      await storage.sweepIncoming(hourly);
    },
    onError: (error) => log.warn({ err: error }, 'the hourly maintenance failed'),
  });
