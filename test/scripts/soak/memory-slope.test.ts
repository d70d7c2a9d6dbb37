import { describe, expect, test } from 'vitest';
import {
  judgeSlope,
  type MemorySample,
  median,
  memorySlope,
  shortestWindowMs,
} from '../../../scripts/soak/memory-slope.ts';
import { createChance } from '../../support/chance.ts';

const minutes = (count: number) => count * 60_000;

interface Made {
  readonly lengthMs?: number;
  readonly seed?: number;
}

/**
 * A sample every three seconds. Each render at work weighs 300 MB, browsers grow by 150 MB and are replaced every 80 seconds, a few
 * samples are far off, and the first quarter fills caches by 300 MB.
 */
const samplesOf = (
  mbPerQuarterHour: number,
  { lengthMs = minutes(15), seed = 7 }: Made = {},
): MemorySample[] => {
  const chance = createChance(seed);
  const phaseMs = chance() * 80_000;
  let atWork = 2;
  return Array.from({ length: lengthMs / 3_000 }, (_, index) => {
    const atMs = index * 3_000;
    // Busy at the beginning and idle at the end, as it is where a machine was behind.
    if (chance() < 0.3) atWork = chance() < 1.2 - atMs / lengthMs ? 2 : Math.floor(chance() * 2);
    const tooth = (((atMs + phaseMs) % 80_000) / 80_000) * 150;
    const noise = (chance() - 0.5) * 80 + (chance() < 0.05 ? 400 : 0);
    const warmUp = (Math.min(atMs, lengthMs / 4) / (lengthMs / 4)) * 300;
    const grown = (mbPerQuarterHour * atMs) / minutes(15);
    return { atMs, load: `${atWork}`, heldMb: 500 + warmUp + atWork * 300 + tooth + grown + noise };
  });
};

const seeds = Array.from({ length: 100 }, (_, seed) => seed);

describe('the slope of memory', () => {
  test('condemns a growth of 250 MB in a quarter of an hour in nearly every run, and tells how large it is', () => {
    const slopes = seeds.map((seed) => memorySlope(samplesOf(250, { seed })));
    expect(slopes.filter((slope) => judgeSlope(slope).length > 0).length).toBeGreaterThanOrEqual(90);
    const found = slopes.map((slope) => ((slope?.percent ?? 0) / 100) * (slope?.medianMb ?? 0));
    expect(median(found)).toBeGreaterThan(200);
    expect(median(found)).toBeLessThan(300);
    expect(judgeSlope(memorySlope(samplesOf(400)))).toEqual([
      expect.stringMatching(/^memory grows by \d+\.\d % of \d+ MB/),
    ]);
  });

  test('hardly ever condemns what only the load, the first third, the saw and single samples make', () => {
    const condemned = seeds.filter((seed) => judgeSlope(memorySlope(samplesOf(0, { seed }))).length > 0);
    expect(condemned.length).toBeLessThanOrEqual(2);
  });

  test('is exact where there is no noise', () => {
    const line = Array.from({ length: 41 }, (_, index) => ({
      atMs: minutes(index),
      load: 'idle',
      heldMb: 100 + index,
    }));
    expect(memorySlope(line)).toMatchObject({ medianMb: 127, windowMs: minutes(26), samples: 27 });
    expect(memorySlope(line)?.percent).toBeCloseTo((15 / 127) * 100);
  });

  test('is not judged of a window that is too short, and not known of loads that never return', () => {
    const short = memorySlope(samplesOf(2_000, { lengthMs: shortestWindowMs }));
    expect(short?.percent).toBeGreaterThan(10);
    expect(judgeSlope(short)).toEqual([]);
    const changing = samplesOf(0).map((sample, index) => ({ ...sample, load: `${index}` }));
    expect(memorySlope(changing)).toBeNull();
    expect(memorySlope([])).toBeNull();
  });
});
