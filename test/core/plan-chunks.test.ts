import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ChunkPlan, type ChunkQuestion, framesOfChunk, planChunks } from '../../src/core/plan-chunks.ts';

/** 30 fps at 1080p on one slot, as measured: 65 ms a frame, a second of start-up, 75 ms of joining for each chunk. */
const question = (seconds: number, changes: Partial<ChunkQuestion> = {}): ChunkQuestion => ({
  frames: seconds * 30,
  fps: 30,
  msPerFrame: 65,
  chunkOverheadMs: 1_000,
  joinMs: 75,
  freeSlots: 4,
  thresholdSeconds: 20,
  ...changes,
});

const wallMs = (given: ChunkQuestion, { count, framesPerChunk }: ChunkPlan): number =>
  Math.ceil(count / given.freeSlots) * (framesPerChunk * given.msPerFrame + given.chunkOverheadMs) +
  count * given.joinMs;

describe('a video is cut', () => {
  test.each<[string, ChunkQuestion, [number, number]]>([
    ['into one chunk for each idle slot', question(60), [4, 450]],
    ['as soon as it is longer than the threshold', question(21, { freeSlots: 2 }), [2, 315]],
    ['into equal lengths with a shorter last', question(0, { frames: 1_000, freeSlots: 3 }), [3, 336]],
    ['into no more chunks than are long enough', question(24, { freeSlots: 16 }), [4, 180]],
    ['at 60 fps by its frames', question(0, { frames: 1_800, fps: 60, freeSlots: 8 }), [8, 225]],
    ['between whole milliseconds', question(0, { frames: 1_000, fps: 24, freeSlots: 3 }), [3, 336]],
    ['anywhere where no frame has such', question(0, { frames: 1_000, fps: 29.97, freeSlots: 3 }), [3, 334]],
    ['into few chunks where frames are cheap', question(60, { msPerFrame: 20, freeSlots: 16 }), [5, 360]],
    ['so that a lost worker costs two minutes', question(1_200, { freeSlots: 2 }), [20, 1_800]],
    ['by all slots evenly where that is so', question(1_200, { freeSlots: 6 }), [24, 1_500]],
    ['into 64 chunks at most', question(3 * 3_600, { freeSlots: 200 }), [64, 5_064]],
  ])('%s', (_, given, [count, framesPerChunk]) => {
    expect(planChunks(given)).toEqual({ count, framesPerChunk });
  });
});

describe('a video is rendered whole', () => {
  test.each<[string, ChunkQuestion]>([
    ['that is as long as the threshold', question(20)],
    ['when one slot is idle', question(60, { freeSlots: 1 })],
    ['when no slot is idle', question(60, { freeSlots: 0 })],
    ['whose halves would be too short', question(0, { frames: 298, fps: 10 })],
    ['whose frames cost less than a start', question(60, { msPerFrame: 5 })],
    ['when joining takes what cutting saves', question(60, { freeSlots: 2, joinMs: 30_000 })],
    ['that two slots would hardly finish sooner', question(25, { freeSlots: 2, chunkOverheadMs: 14_500 })],
    ['of nothing', question(0)],
  ])('%s', (_, given) => {
    expect(planChunks(given)).toBeNull();
  });
});

const anyQuestion = fc.record<ChunkQuestion>({
  frames: fc.integer({ min: 0, max: 400_000 }),
  fps: fc.constantFrom(10, 24, 25, 29.97, 30, 60),
  msPerFrame: fc.double({ min: 0.5, max: 2_000, noNaN: true }),
  chunkOverheadMs: fc.integer({ min: 0, max: 20_000 }),
  joinMs: fc.integer({ min: 0, max: 5_000 }),
  freeSlots: fc.integer({ min: 0, max: 300 }),
  thresholdSeconds: fc.integer({ min: 0, max: 600 }),
});

test('every frame is in exactly one chunk, whatever is cut', () => {
  fc.assert(
    fc.property(anyQuestion, fc.integer({ min: 0, max: 1_000 }), (given, first) => {
      const plan = planChunks(given);
      fc.pre(plan !== null);
      const last = first + given.frames - 1;
      let next = first;
      for (let number = 0; number < plan.count; number++) {
        const [from, to] = framesOfChunk(plan, [first, last], number);
        expect(from).toBe(next);
        const frames = to - from + 1;
        if (number < plan.count - 1) expect(frames).toBe(plan.framesPerChunk);
        expect(frames).toBeGreaterThan(0);
        expect(frames).toBeLessThanOrEqual(plan.framesPerChunk);
        next = to + 1;
      }
      expect(next).toBe(last + 1);
    }),
    { numRuns: 500 },
  );
});

test('what is cut is done a fifth sooner, for at most 15 % more work', () => {
  fc.assert(
    fc.property(anyQuestion, (given) => {
      const plan = planChunks(given);
      fc.pre(plan !== null);
      const wholeMs = given.frames * given.msPerFrame;
      expect(plan.count).toBeGreaterThanOrEqual(2);
      expect(plan.count).toBeLessThanOrEqual(64);
      expect(plan.framesPerChunk).toBeGreaterThanOrEqual(150);
      expect(wallMs(given, plan)).toBeLessThanOrEqual(0.8 * wholeMs);
      expect(plan.count * given.chunkOverheadMs).toBeLessThanOrEqual(0.15 * wholeMs);
      expect(given.frames / given.fps).toBeGreaterThan(given.thresholdSeconds);
    }),
    { numRuns: 500 },
  );
});
