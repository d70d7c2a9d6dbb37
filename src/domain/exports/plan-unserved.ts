/**
 * Cells of campaigns that no worker has planned, of a mode that no live worker serves. Whoever ends exports of that mode needs them as
 * exports first: then each ends, goes to the workers, is counted and is retried as any other.
 */
import type { RenderMode } from '../../core/exports.ts';
import type { Database } from '../../platform/db/client.ts';
import type { FedRun } from '../batches/due-runs.ts';
import { planCells, readNextCells } from './plan-cells.ts';
import { servedModes } from './workers.ts';

/**
 * Makes exports of the next cells of the run; they count as waiting since the run was accepted. No file is used again: who does this
 * knows no renderer. Several may do it at once, a worker that comes back among them: it may go on. Returns how many it planned; 0 where
 * nothing is left, somebody else planned them, or a worker has come back.
 */
export const planUnserved = async (
  db: Database,
  fed: FedRun,
  given: { mode: RenderMode; cells: number },
  now: Date,
): Promise<number> => {
  const plan = await readNextCells(db, fed, given.cells, null);
  if (!plan) return 0;
  return db.transaction().execute(async (tx) => {
    if ((await servedModes(tx)).has(given.mode)) return 0;
    return planCells(tx, fed, plan, new Map(), now, plan.run.created_at);
  });
};
