import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { mayBeSoWide, planUsage, type Work } from '../../../src/platform/aws/estimate.ts';
import { priceOf } from '../../../src/platform/aws/price.ts';

// Remotion's packages and the SDK in them take long to load on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

const video: Work = { kind: 'video', count: 900, msPerFrame: 100, startupMs: 3_000 };
const stills: Work = { kind: 'stills', count: 10, msPerFrame: 500, startupMs: 2_000 };

it.each([
  // The launch function renders by itself: its start and 900 frames.
  [video, 1, { invocations: 2, wallMs: 93_000, billedMs: 93_000 }],
  // It starts, waits for the start and 45 frames of each of the others: 10.5 s, beside 20 starts and 900 frames.
  [video, 20, { invocations: 22, wallMs: 10_500, billedMs: 10_500 + 60_000 + 90_000 }],
  [stills, 1, { invocations: 10, wallMs: 7_000, billedMs: 7_000 }],
  [stills, 4, { invocations: 10, wallMs: 3_500, billedMs: 13_000 }],
  [stills, 10, { invocations: 10, wallMs: 2_500, billedMs: 25_000 }],
])('plans %o on %i functions', (work, functions, usage) => {
  expect(planUsage(work, functions)).toEqual({ functions, ...usage });
});

it.each([
  ['more than Remotion takes', { ...video, count: 9_000 }, 201, /at most 200/],
  ['too few frames for each', video, 181, /at least 5 frames/],
  ['more than there are stills', stills, 11, /at least one/],
])('refuses %s', (_what, work, functions, message) => {
  expect(mayBeSoWide(work, functions)).toBe(false);
  expect(() => planUsage(work, functions)).toThrow(message);
});

it('never is slower on more functions, and never cheaper', () => {
  const works = fc.record({
    kind: fc.constantFrom<Work['kind']>('video', 'stills'),
    count: fc.integer({ min: 1, max: 5_000 }),
    msPerFrame: fc.integer({ min: 1, max: 2_000 }),
    startupMs: fc.integer({ min: 0, max: 10_000 }),
  });
  fc.assert(
    fc.property(works, fc.integer({ min: 2, max: 199 }), (work, functions) => {
      fc.pre(mayBeSoWide(work, functions + 1));
      const [narrow, wide] = [planUsage(work, functions), planUsage(work, functions + 1)];
      expect(wide.wallMs).toBeLessThanOrEqual(narrow.wallMs);
      // A video's launch function waits less the wider it is, by no more than the wall time that is saved.
      expect(wide.billedMs + narrow.wallMs - wide.wallMs).toBeGreaterThanOrEqual(narrow.billedMs);
    }),
  );
});

it("prices what is billed by AWS' list", async () => {
  const pricing = { region: 'us-east-1', memoryMb: 2048, diskMb: 512 } as const;
  const usage = { functions: 10, invocations: 10, billedMs: 100_000, wallMs: 10_000 };
  // 100 s of 2 GB at $0.0000133334 per GB and second, 10 requests at $0.20 per million.
  expect(await priceOf(pricing, usage)).toBeCloseTo(0.00267, 5);
  const long = { ...usage, billedMs: 100_000_000 };
  const larger = await priceOf({ ...pricing, diskMb: 10_240 }, long);
  expect(larger).toBeGreaterThan(await priceOf(pricing, long));
});
