import { foldDeltas } from '../../domain/statistics/fold-deltas.ts';
import { startWakeableLoop, type WakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { Resources } from '../resources.ts';

/** Few enough deltas pile up meanwhile that reading them costs nothing notable. */
const everyMs = 5_000;

/** Every worker runs it; of those that meet, one does the work. */
export const startFolding = ({ db, log }: Resources): WakeableLoop =>
  startWakeableLoop({
    everyMs,
    round: async () => void (await foldDeltas(db)),
    onError: (error) => log.warn({ err: error }, 'the statistics could not be folded; they stay exact'),
  });
