import { grow } from '../../core/lambda/slot-limit.ts';
import type { Reader } from '../../platform/db/client.ts';
import { countUse, readLimit } from './slot-ledger.ts';

export interface SlotsNow {
  /** What may run at once now; below the ceiling after AWS has refused. */
  readonly limit: number;
  readonly ceiling: number;
  readonly used: number;
  readonly usedByBatch: number;
  /** Renders that hold slots. */
  readonly leases: number;
  readonly throttledAt: Date | null;
}

/** Null: nothing has been rendered in this scope yet. */
export const readSlots = async (db: Reader, scope: string, now: Date): Promise<SlotsNow | null> => {
  const stored = await readLimit(db, scope);
  if (stored === null) return null;
  const { limit, ceiling, throttledAt } = grow(stored, now);
  return { limit, ceiling, throttledAt, ...(await countUse(db, scope, now)) };
};
