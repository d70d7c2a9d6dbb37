import type { Reader } from '../../platform/db/client.ts';
import type { CreditMove } from './ledger.ts';

/** What a run of a batch spent for all of its cells at once; undefined where it was nothing. */
export const findRunSpending = async (
  db: Reader,
  { batchId, run }: { batchId: string; run: number },
): Promise<CreditMove | undefined> => {
  const entry = await db
    .selectFrom('credit_entry')
    .select(['amount', 'balance_after'])
    .where('batch_id', '=', batchId)
    .where('run', '=', run)
    .where('kind', '=', 'spend')
    .where('export_id', 'is', null)
    .executeTakeFirst();
  return entry && { before: entry.balance_after + entry.amount, after: entry.balance_after };
};

/** The part of it that one cell has, by its place in the run: each begins where the one before it ended. */
export const shareOf = (spent: CreditMove, place: number, perCell: number): CreditMove => {
  const before = spent.before - place * perCell;
  return { before, after: before - perCell };
};
