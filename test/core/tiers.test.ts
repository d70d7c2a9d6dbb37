import { describe, expect, test } from 'vitest';
import { defaultTiers, tierNames, tierOf, tierOverridesSchema } from '../../src/core/tiers.ts';

describe('tiers', () => {
  test('are those of the documents: free 3 a day and 30 s, pro 50 and 120 s, unlimited without either, credits one each', () => {
    expect(defaultTiers.free).toMatchObject({ dailyExports: 3, maxDurationSeconds: 30, creditsPerExport: 0 });
    expect(defaultTiers.pro).toMatchObject({
      dailyExports: 50,
      maxDurationSeconds: 120,
      creditsPerExport: 0,
    });
    expect(defaultTiers.unlimited).toMatchObject({
      dailyExports: null,
      maxDurationSeconds: null,
      creditsPerExport: 0,
    });
    expect(defaultTiers.credits).toMatchObject({
      dailyExports: null,
      maxDurationSeconds: 120,
      creditsPerExport: 1,
    });
  });

  test.each(tierNames)('%s without overrides is the default', (name) => {
    expect(tierOf(name, {})).toEqual(defaultTiers[name]);
  });

  test('an override changes what it names and leaves the rest, in its tier alone', () => {
    const overrides = { free: { dailyExports: 10 } };
    expect(tierOf('free', overrides)).toEqual({ ...defaultTiers.free, dailyExports: 10 });
    expect(tierOf('pro', overrides)).toEqual(defaultTiers.pro);
  });

  test('null lifts a limit, 0 forbids, and undefined is not an override', () => {
    expect(tierOf('free', { free: { dailyExports: null } }).dailyExports).toBeNull();
    expect(tierOf('free', { free: { dailyExports: 0 } }).dailyExports).toBe(0);
    expect(tierOf('free', { free: { dailyExports: undefined } }).dailyExports).toBe(3);
  });

  test.each([
    [{ gold: { dailyExports: 1 } }],
    [{ free: { dailyExports: -1 } }],
    [{ free: { dailyExports: 1.5 } }],
    [{ free: { maxDurationSeconds: 0 } }],
    [{ free: { maxPixels: 10_000 * 10_000 } }],
    [{ free: { dailyExport: 1 } }],
    [{ free: { concurrentRenders: 0 } }],
    [{ free: { concurrentRenders: 1.5 } }],
    [{ free: { concurrentRenders: '2' } }],
    [{ free: { retentionDays: 0 } }],
    [{ free: { retentionDays: -1 } }],
    [{ free: { retentionDays: 36_501 } }],
  ])('the schema of overrides refuses %j', (overrides) => {
    expect(tierOverridesSchema.safeParse(overrides).success).toBe(false);
  });

  test('render so many of an organization at once and keep files so long, where nothing else is said', () => {
    const caps = tierNames.map((name) => [
      defaultTiers[name].concurrentRenders,
      defaultTiers[name].retentionDays,
    ]);
    expect(Object.fromEntries(tierNames.map((name, index) => [name, caps[index]]))).toEqual({
      free: [10, 30],
      pro: [50, 180],
      unlimited: [null, null],
      credits: [50, 180],
    });
  });

  test('the schema takes caps and retention, and null for none; a day may be cut', () => {
    const overrides = {
      free: { concurrentRenders: 1, retentionDays: 0.5 },
      pro: { concurrentRenders: null, retentionDays: null },
    };
    expect(tierOverridesSchema.parse(overrides)).toEqual(overrides);
  });

  test('the schema takes overrides of some tiers only', () => {
    expect(tierOverridesSchema.parse({ pro: { dailyExports: null } })).toEqual({
      pro: { dailyExports: null },
    });
  });
});
