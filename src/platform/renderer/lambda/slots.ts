import { RendermillError } from '../../../core/errors.ts';
import type { Clock } from '../../clock/clock.ts';
import type { Logger } from '../../log/log.ts';
import type { SlotBudget, SlotOrder } from './slot-budget.ts';

/** The slots of one render while it goes on. */
export interface HeldSlots {
  readonly functions: number;
  /** Asks again for what turned out to be another number of frames. Rejects with `lambda_throttled`; then the first are still held. */
  reorder(order: SlotOrder): Promise<void>;
  /** Often called, seldom asked. */
  keep(): Promise<void>;
  release(): Promise<void>;
}

/** A third of the shortest life that a lease may sensibly have. */
const renewEveryMs = 10_000;

const take = async (budget: SlotBudget, order: SlotOrder) => {
  const lease = await budget.acquire(order);
  if (lease === null) throw new RendermillError('lambda_throttled');
  return lease;
};

/** Rejects with `lambda_throttled` where there is no room. */
export const holdSlots = async (
  { budget, clock, log }: { readonly budget: SlotBudget; readonly clock: Clock; readonly log: Logger },
  order: SlotOrder,
): Promise<HeldSlots> => {
  let lease = await take(budget, order);
  let renewedMs = clock.now().getTime();
  const orSay = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warn({ err: error, order: order.id }, what);
    }
  };
  return {
    get functions() {
      return lease.functions;
    },
    reorder: async (changed) => {
      lease = await take(budget, changed);
    },
    keep: async () => {
      const nowMs = clock.now().getTime();
      if (nowMs - renewedMs < renewEveryMs) return;
      renewedMs = nowMs;
      await orSay('function slots not renewed', () => lease.renew());
    },
    release: () => orSay('function slots not released', () => lease.release()),
  };
};
