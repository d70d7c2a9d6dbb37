import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planFunctions } from '../../../src/core/lambda/plan-functions.ts';
import { freeSlots, interactiveReserve, shareOf, type Urgency } from '../../../src/core/lambda/slots.ts';

const video = (frames: number | null, urgency: Urgency = 'interactive') =>
  ({ kind: 'video', urgency, frames }) as const;
const still = (urgency: Urgency = 'interactive') => ({ kind: 'still', urgency, frames: 1 }) as const;
const empty = (limit: number) => ({ limit, used: 0, usedByBatch: 0 });
const taken = (limit: number, used: number, usedByBatch = 0) => ({ limit, used, usedByBatch });

describe('the width of a render', () => {
  test.each([
    ['a still takes one function', still(), empty(1_000), 1, 1],
    ['a batch video renders in the function that launches it', video(450, 'batch'), empty(1_000), 1, 1],
    ['a batch video of unknown length too', video(null, 'batch'), empty(1_000), 1, 1],
    ['a batch video longer than a function lives takes more', video(3_600, 'batch'), empty(1_000), 6, 7],
    ['five seconds go as wide as is worth it', video(150), empty(1_000), 8, 9],
    ['two minutes go wide', video(3_600), empty(1_000), 180, 181],
    ['nothing goes wider than Remotion allows', video(100_000), empty(1_000), 200, 201],
    ['unknown frames get a modest width', video(null), empty(1_000), 15, 16],
    ['one frame needs one function', video(1), empty(1_000), 1, 1],
    ['half of what is free is left to the next', video(3_600), taken(1_000, 900), 49, 50],
    ['where little is free it narrows down', video(600), taken(1_000, 991), 4, 5],
    ['unless that made it too slow', video(1_800), taken(1_000, 988), 9, 10],
    ['a new account of ten slots renders too', video(900), empty(10), 4, 5],
    ['the smallest budget renders one at a time', video(900), empty(2), 1, 1],
    ['a batch in the smallest budget too', video(900, 'batch'), empty(2), 1, 1],
  ])('%s', (_what, order, use, functions, slots) => {
    expect(planFunctions(order, use)).toMatchObject({ functions, slots });
  });

  test.each([
    ['a still, where nothing is free', still(), taken(1_000, 1_000)],
    ['a video, whose launch needs two for a moment', video(60), taken(1_000, 999)],
    ['a long video that would be far too slow in what is left', video(3_600), taken(1_000, 990)],
    ['a batch that has its share, though slots are free', video(60, 'batch'), taken(1_000, 799, 799)],
    ['a still of a batch that has its share', still('batch'), taken(1_000, 800, 800)],
    ['anything, where the limit has shrunk below what is used', still(), taken(500, 700)],
  ])('%s, waits', (_what, order, use) => {
    expect(planFunctions(order, use)).toBeNull();
  });

  test('counts the function that took the order as long as it may run beside the one that it launched', () => {
    expect(planFunctions(video(60, 'batch'), empty(100))).toEqual({ functions: 1, slots: 1, startSlots: 2 });
    expect(planFunctions(video(60), empty(100))).toEqual({ functions: 3, slots: 4, startSlots: 4 });
  });
});

const limits = fc.integer({ min: 2, max: 5_000 });
const orders = fc.record({
  kind: fc.constantFrom('still' as const, 'video' as const),
  urgency: fc.constantFrom('interactive' as const, 'batch' as const),
  frames: fc.option(fc.integer({ min: 1, max: 200_000 })),
});

test('no plan exceeds what is free, Remotion’s 200 functions, or its 5 frames for each', () => {
  fc.assert(
    fc.property(orders, limits, fc.nat(5_500), fc.nat(5_500), (order, limit, used, batch) => {
      const use = { limit, used, usedByBatch: Math.min(used, batch) };
      const plan = planFunctions(order, use);
      if (plan === null) return;
      expect(Math.max(plan.slots, plan.startSlots)).toBeLessThanOrEqual(freeSlots(order.urgency, use));
      expect(plan.functions).toBeGreaterThanOrEqual(1);
      expect(plan.functions).toBeLessThanOrEqual(200);
      if (order.frames !== null && plan.functions > 1) {
        expect(order.frames / plan.functions).toBeGreaterThanOrEqual(5);
      }
    }),
    { numRuns: 2_000 },
  );
});

test('whatever batches hold, a render that someone waits for starts: its reserve is out of their reach', () => {
  fc.assert(
    fc.property(orders, fc.integer({ min: 4, max: 5_000 }), (order, limit) => {
      const byBatch = shareOf('batch', limit);
      const use = { limit, used: byBatch, usedByBatch: byBatch };
      expect(planFunctions({ ...order, urgency: 'interactive' }, use)).not.toBeNull();
      expect(planFunctions({ ...order, urgency: 'batch' }, use)).toBeNull();
    }),
  );
});

test('every order starts where nothing else runs', () => {
  fc.assert(
    fc.property(orders, limits, (order, limit) => {
      expect(planFunctions(order, empty(limit))).not.toBeNull();
    }),
  );
});

test('the reserve is a fifth, and more of a small account', () => {
  expect([10, 40, 100, 1_000, 5_000].map(interactiveReserve)).toEqual([5, 20, 25, 200, 1_000]);
});
