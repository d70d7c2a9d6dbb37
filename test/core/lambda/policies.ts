/** Who may start, and how wide: with our budget, and as Remotion does it by default. */
import { planFunctions } from '../../../src/core/lambda/plan-functions.ts';
import { grow, openLimit, type SlotLimit, shrink } from '../../../src/core/lambda/slot-limit.ts';
import type { SlotUse } from '../../../src/core/lambda/slots.ts';
import type { EventLine } from './event-line.ts';
import type { Order } from './mixed-day.ts';

export interface Grant {
  readonly functions: number;
  /** As soon as the watcher knows that the render has ended. */
  release(): void;
}

export interface Policy {
  /** Renders that the workers watch at once. */
  readonly watchers: number;
  /** Null: not now. */
  acquire(order: Order): Grant | null;
  throttled(): void;
}

/** `bestFramesPerFunctionParam` of @remotion/serverless-client: 75 to 150 functions, each with 20 frames at least. */
export const remotionsWidth = (frames: number): number => {
  const concurrency = 75 + (75 * Math.min(frames, 18_000)) / 18_000;
  const wanted = Math.ceil(frames / Math.max(frames / concurrency, 20));
  return Math.ceil(frames / Math.ceil(frames / wanted));
};

export const remotionsDefaults = (watchers: number): Policy => ({
  watchers,
  acquire: (order) => ({
    functions: order.kind === 'still' ? 1 : remotionsWidth(order.frames),
    release: () => undefined,
  }),
  throttled: () => undefined,
});

export interface Budget extends Policy {
  /** The limit whenever it changed, by second of the day. */
  readonly limits: { readonly at: number; readonly limit: number }[];
  /** Slots that were held at once, and grants after which more were held than the limit allows. */
  readonly totals: { mostUsed: number; overdrawn: number };
}

const startSeconds = 5;

export const ourBudget = (line: EventLine, ceiling: number, watchers: number): Budget => {
  const now = () => new Date(line.now() * 1_000);
  const limits = [{ at: 0, limit: ceiling }];
  const totals = { mostUsed: 0, overdrawn: 0 };
  let state: SlotLimit = openLimit(ceiling, now());
  let used = 0;
  let usedByBatch = 0;
  const become = (next: SlotLimit): void => {
    if (next.limit !== state.limit) limits.push({ at: line.now(), limit: next.limit });
    state = next;
  };
  const take = (order: Order, slots: number): void => {
    used += slots;
    if (order.urgency === 'batch') usedByBatch += slots;
  };
  return {
    watchers,
    limits,
    totals,
    acquire: (order) => {
      become(grow(state, now()));
      const use: SlotUse = { limit: state.limit, used, usedByBatch };
      const plan = planFunctions(order, use);
      if (plan === null) return null;
      take(order, plan.startSlots);
      totals.mostUsed = Math.max(totals.mostUsed, used);
      if (used > state.limit) totals.overdrawn += 1;
      let held = plan.startSlots;
      const settleAt = (slots: number): void => {
        take(order, slots - held);
        held = slots;
      };
      let isReleased = false;
      line.at(line.now() + startSeconds, () => {
        if (!isReleased) settleAt(plan.slots);
      });
      return {
        functions: plan.functions,
        release: () => {
          isReleased = true;
          settleAt(0);
        },
      };
    },
    throttled: () => become(shrink(grow(state, now()), used, now())),
  };
};
