/**
 * Cells of campaigns that no worker has planned, of a mode that no live worker serves. Whoever ends exports of that mode needs them as
 * exports first: then each ends, goes to the workers, is counted and is retried as any other.
 */
import type { RenderMode } from '../../core/exports.ts';
import type { Database } from '../../platform/db/client.ts';
import type { FedRun } from '../batches/due-runs.ts';
import { planCells, readNextCells } from './plan-cells.ts';
import { servedModes } from './workers.ts';

/** A transaction of a second or so. */
const cellsAPart = 500;

/**
 * Makes exports of all cells of the run that are none yet; they count as waiting since the run was accepted. No file is used again: who
 * does this knows no renderer. Several may do it at once, a worker that comes back among them: it may go on. Returns how many it planned.
 */
export const planUnserved = async (
  db: Database,
  fed: FedRun,
  mode: RenderMode,
  now: Date,
): Promise<number> => {
  let planned = 0;
  for (;;) {
    const plan = await readNextCells(db, fed, cellsAPart, null);
    if (!plan) return planned;
    const cells = await db.transaction().execute(async (tx) => {
      if ((await servedModes(tx)).has(mode)) return 0;
      return planCells(tx, fed, plan, new Map(), now, plan.run.created_at);
    });
    // Somebody else plans it, or a worker has come back.
    if (cells === 0) return planned;
    planned += cells;
  }
};
