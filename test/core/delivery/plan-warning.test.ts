import { describe, expect, test } from 'vitest';
import { retryWaits } from '../../../src/core/delivery/plan-retry.ts';
import { continueStreak, forgottenAfterMs, planWarning } from '../../../src/core/delivery/plan-warning.ts';
import { hours } from '../../support/factories.ts';

const since = new Date('2026-03-10T12:00:00Z');
const hoursLater = (count: number): Date => new Date(since.getTime() + hours(count));
const limit = hours(120);

describe('a warning', () => {
  test.each([
    { at: 23.9, warned: 0, limitMs: limit, act: 'none', warnedHours: 0 },
    { at: 24, warned: 0, limitMs: limit, act: 'warn', warnedHours: 24 },
    { at: 30, warned: 24, limitMs: limit, act: 'none', warnedHours: 24 },
    { at: 48, warned: 24, limitMs: limit, act: 'warn', warnedHours: 48 },
    { at: 72, warned: 48, limitMs: limit, act: 'warn', warnedHours: 72 },
    // Two that are due at once are one.
    { at: 50, warned: 0, limitMs: limit, act: 'warn', warnedHours: 48 },
    { at: 119.9, warned: 72, limitMs: limit, act: 'none', warnedHours: 72 },
    { at: 120, warned: 72, limitMs: limit, act: 'disable', warnedHours: 72 },
    { at: 1_000, warned: 72, limitMs: null, act: 'none', warnedHours: 72 },
    // Sooner than the first warning, because it was set so.
    { at: 12, warned: 0, limitMs: hours(12), act: 'disable', warnedHours: 0 },
  ])('after $at hours, $warned warned of, limit $limitMs: $act', ({ at, warned, limitMs, ...planned }) => {
    const streak = { failingSince: since, warnedHours: warned };
    expect(planWarning(streak, hoursLater(at), limitMs)).toEqual({
      ...planned,
      disablesAt: limitMs === null ? null : new Date(since.getTime() + limitMs),
    });
  });
});

describe('a streak', () => {
  test.each([
    ['begins', { failingSince: null, lastFailedAt: null, warnedHours: 0 }, hoursLater(60), 0],
    ['goes on', { failingSince: since, lastFailedAt: hoursLater(36), warnedHours: 24 }, since, 24],
    [
      'begins anew where nothing was tried for long',
      { failingSince: since, lastFailedAt: hoursLater(11), warnedHours: 24 },
      hoursLater(60),
      0,
    ],
  ])('%s', (_what, before, failingSince, warnedHours) => {
    expect(continueStreak(before, hoursLater(60))).toEqual({ failingSince, warnedHours });
  });

  test('is broken by no wait of the schedule, nor by the longest that an endpoint may ask for', () => {
    expect(Math.max(...retryWaits) * 1.2).toBeLessThan(forgottenAfterMs);
  });
});
