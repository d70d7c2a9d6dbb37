import { describe, expect, test } from 'vitest';
import {
  judgeSlope,
  type MemorySample,
  memorySlope,
  shortestWindowMs,
} from '../../../scripts/soak/memory-slope.ts';
import { createChance } from '../../support/chance.ts';

const minutes = (count: number) => count * 60_000;

/** A sample every three seconds; loads change at random and weigh 300 MB each, a few samples are far off. */
const samplesOf = (mbPerQuarterHour: number, lengthMs = minutes(15)): MemorySample[] => {
  const chance = createChance(7);
  return Array.from({ length: lengthMs / 3_000 }, (_, index) => {
    const atMs = index * 3_000;
    // Busy at the beginning and idle at the end, as it is where a machine was behind.
    const atWork = chance() < 1.2 - atMs / lengthMs ? 2 : Math.floor(chance() * 2);
    const noise = (chance() - 0.5) * 120 + (chance() < 0.05 ? 400 : 0);
    const warmUp = Math.min(atMs, lengthMs / 3) / 3_000;
    const grown = (mbPerQuarterHour * atMs) / minutes(15);
    return { atMs, load: `${atWork}`, heldMb: 800 + warmUp + atWork * 300 + grown + noise };
  });
};

describe('the slope of memory', () => {
  test.each([200, 400])('sees a growth of %d MB in a quarter of an hour', (grown) => {
    const slope = memorySlope(samplesOf(grown));
    const found = ((slope?.percent ?? 0) / 100) * (slope?.medianMb ?? 0);
    expect(found).toBeGreaterThan(grown * 0.75);
    expect(found).toBeLessThan(grown * 1.25);
    expect(judgeSlope(slope)).toEqual([expect.stringMatching(/^memory grows by \d+\.\d % of \d+ MB/)]);
  });

  test('sees none where only the load, the first half and single samples move', () => {
    const slope = memorySlope(samplesOf(0));
    expect(Math.abs(slope?.percent ?? Number.NaN)).toBeLessThan(4);
    expect(judgeSlope(slope)).toEqual([]);
  });

  test('is exact where there is no noise', () => {
    const line = Array.from({ length: 41 }, (_, index) => ({
      atMs: minutes(index),
      load: 'idle',
      heldMb: 100 + index,
    }));
    expect(memorySlope(line)).toMatchObject({ medianMb: 130, windowMs: minutes(20), samples: 21 });
    expect(memorySlope(line)?.percent).toBeCloseTo((15 / 130) * 100);
  });

  test('is not judged of a window that is too short, and not known of loads that never return', () => {
    const short = memorySlope(samplesOf(2_000, shortestWindowMs));
    expect(short?.percent).toBeGreaterThan(10);
    expect(judgeSlope(short)).toEqual([]);
    const changing = samplesOf(0).map((sample, index) => ({ ...sample, load: `${index}` }));
    expect(memorySlope(changing)).toBeNull();
    expect(memorySlope([])).toBeNull();
  });
});
