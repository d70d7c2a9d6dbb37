import type { Tx } from '../../platform/db/client.ts';
import { countExports } from '../accounts/projects.ts';
import type { Batch, BatchRun } from '../batches/batch.ts';
import { openRun } from '../batches/open-run.ts';
import { type Metered, type Reservation, reserve, reserveCredits } from './limits.ts';

export interface AcceptedRun {
  readonly run: BatchRun;
  readonly reservation: Reservation;
}

/**
 * Reserves limit and credits for all cells of a run, or throws (`daily_limit_reached`, `insufficient_credits`) and reserves none.
 * The exports themselves are made by the campaign queue: a hundred thousand rows do not fit into one quick transaction.
 */
export const acceptRun = async (
  tx: Tx,
  who: Metered,
  batch: Pick<Batch, 'id' | 'project_id'>,
  given: { run: number; cells: number; correlationId: string },
  now: Date,
): Promise<AcceptedRun> => {
  const key = { batchId: batch.id, run: given.run };
  const reservation = await reserve(tx, who, given.cells, now);
  await reserveCredits(tx, who, { ...key, cells: given.cells }, now);
  await countExports(
    tx,
    { organizationId: who.organizationId, projectId: batch.project_id },
    given.cells,
    now,
  );
  const run = await openRun(
    tx,
    {
      ...key,
      cells: given.cells,
      tierName: who.tierName,
      maxDuration: who.tier.maxDurationSeconds,
      chargedDay: reservation.day,
      chargedHour: reservation.hour,
      creditsPerCell: who.tier.creditsPerExport,
      correlationId: given.correlationId,
    },
    now,
  );
  return { run, reservation };
};
