/**
 * The budget of function slots over all running renders of an AWS account and region. It is kept in Postgres whatever the queue runs
 * on: every worker reaches it, Redis may be wiped at any moment, and a few statements per render are nothing beside the render.
 */
import { randomUUID } from 'node:crypto';
import { planFunctions } from '../../core/lambda/plan-functions.ts';
import { grow, type SlotLimit, shrink, underCeiling } from '../../core/lambda/slot-limit.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import type { SlotBudget, SlotLease, SlotOrder } from '../../platform/renderer/lambda/slot-budget.ts';
import {
  countUse,
  deleteLease,
  dropExpired,
  findLease,
  type Lease,
  lockLimit,
  renewLease,
  saveLimit,
  writeLease,
} from './slot-ledger.ts';

export interface SlotBudgetOptions {
  readonly db: Database;
  readonly clock: Clock;
  /** Names what shares one limit at AWS: the account and its region. */
  readonly scope: string;
  /** Functions that may run at once; 2 at least. */
  readonly ceiling: number;
  /** A lease that is not renewed ends after so long: at least what a function lives, since those of a dead worker run on. */
  readonly leaseSeconds: number;
}

interface Granted {
  readonly lease: Lease;
  /** Else it was planned elsewhere, and taken over. */
  readonly isPlanned: boolean;
}

/**
 * Nothing is granted that would exceed the limit, however many ask at once. An order that is asked again by the same budget, before it
 * has started, is planned anew, and keeps what it had where there is no room for the new plan; asked again by another process it has
 * been taken over, perhaps while its functions run, and keeps what it had. Only the last who asked can renew and release.
 */
export const createSlotBudget = (options: SlotBudgetOptions): SlotBudget => {
  const { db, clock, scope, ceiling } = options;
  /** Token of each render whose lease this budget planned itself. */
  const planned = new Map<string, string>();
  const expiry = (): Date => new Date(clock.now().getTime() + options.leaseSeconds * 1_000);

  /** The limit as it is now, for whoever holds its lock. */
  const currentLimit = async (tx: Tx, now: Date): Promise<SlotLimit> => {
    const stored = await lockLimit(tx, scope, ceiling, now);
    const state = grow(underCeiling(stored, ceiling), now);
    if (state !== stored) await saveLimit(tx, scope, state);
    return state;
  };

  const grant = (order: SlotOrder): Promise<Granted | null> =>
    db.transaction().execute(async (tx) => {
      const now = clock.now();
      const { limit } = await currentLimit(tx, now);
      await dropExpired(tx, scope, now);
      const before = await findLease(tx, scope, order.id);
      if (before !== null && planned.get(order.id) !== before.token) {
        const lease = { ...before, token: randomUUID() };
        await writeLease(tx, lease, expiry());
        return { lease, isPlanned: false };
      }
      const plan = planFunctions(order, { limit, ...(await countUse(tx, scope, now, order.id)) });
      if (plan === null) return null;
      const { id, urgency } = order;
      const lease = { scope, id, token: randomUUID(), urgency, plan, createdAt: now };
      await writeLease(tx, lease, expiry());
      return { lease, isPlanned: true };
    });

  const hold = (lease: Lease): SlotLease => {
    let isReleased = false;
    return {
      functions: lease.plan.functions,
      renew: async () => {
        if (isReleased) return;
        // The lock of the scope first, as whoever grants has it.
        await db.transaction().execute(async (tx) => {
          await lockLimit(tx, scope, ceiling, clock.now());
          await renewLease(tx, lease, expiry());
        });
      },
      release: async () => {
        isReleased = true;
        if (planned.get(lease.id) === lease.token) planned.delete(lease.id);
        await deleteLease(db, lease);
      },
    };
  };

  return {
    acquire: async (order) => {
      const granted = await grant(order);
      if (granted === null) return null;
      if (granted.isPlanned) planned.set(order.id, granted.lease.token);
      return hold(granted.lease);
    },
    throttled: () =>
      db.transaction().execute(async (tx) => {
        const now = clock.now();
        const state = await currentLimit(tx, now);
        const { used } = await countUse(tx, scope, now);
        const smaller = shrink(state, used, now);
        if (smaller !== state) await saveLimit(tx, scope, smaller);
      }),
  };
};
