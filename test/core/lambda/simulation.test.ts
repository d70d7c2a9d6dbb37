/**
 * A mixed day on the default account of 1,000 functions: what the budget gains over Remotion's own widths, with as many renders at once
 * as the workers would watch (`eager`), and with so few that AWS never refuses (`careful`).
 */
import { describe, expect, test } from 'vitest';
import { createChance } from '../../support/chance.ts';
import { createEventLine } from './event-line.ts';
import { mixedDay } from './mixed-day.ts';
import { ourBudget, remotionsDefaults, remotionsWidth } from './policies.ts';
import { type Day, simulateDay } from './simulate-day.ts';

const hour = 3_600;
const account = 1_000;
const perBusyHour = { videos: 600, stills: 1_200, campaigns: 3 };
const orders = mixedDay(createChance(1), perBusyHour);
/** Others use the same account, and take two fifths of it at noon for two hours. */
const others = (second: number): number => (second >= 12 * hour && second < 14 * hour ? 600 : account);

const runDefaults = (watchers: number, slotsAt: (second: number) => number): Day =>
  simulateDay({
    line: createEventLine(),
    orders,
    policy: remotionsDefaults(watchers),
    chance: createChance(2),
    slotsAt,
  });

const runOurs = (slotsAt: (second: number) => number) => {
  const line = createEventLine();
  const budget = ourBudget(line, account, 800);
  const day = simulateDay({ line, orders, policy: budget, chance: createChance(2), slotsAt });
  return { day, ...budget };
};

const at = (numbers: readonly number[], share: number): number =>
  numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * share))] ?? Number.NaN;

const print = (title: string, days: Readonly<Record<string, Day>>): void => {
  const rows = Object.entries(days).map(([name, day]) => [
    name,
    {
      'video p50 s': +at(day.videoSeconds, 0.5).toFixed(1),
      'video p95 s': +at(day.videoSeconds, 0.95).toFixed(1),
      'video max s': Math.round(at(day.videoSeconds, 1)),
      'campaign p50 s': Math.round(at(day.campaignSeconds, 0.5)),
      'campaign p95 s': Math.round(at(day.campaignSeconds, 0.95)),
      lost: day.lost,
      'lost 3 times': day.lostThrice,
      'function hours': Math.round(day.functionSeconds / hour),
      'wasted hours': +(day.wastedSeconds / hour).toFixed(1),
      peak: day.peak,
    },
  ]);
  console.log(`${title}: ${orders.length} orders`);
  console.table(Object.fromEntries(rows));
};

test('the widths of Remotion are those of its documentation', () => {
  // 20 frames each at least; 75 functions for short videos, 150 from ten minutes on.
  expect(remotionsWidth(150)).toBe(8);
  expect(remotionsWidth(900)).toBe(45);
  expect(remotionsWidth(18_000)).toBe(150);
});

describe('a mixed day on an account of our own', () => {
  const eager = runDefaults(100, () => account);
  const careful = runDefaults(10, () => account);
  const { day: ours, totals, limits } = runOurs(() => account);
  print('An account of our own', { eager, careful, ours });

  test('loses no render to throttling, and never holds or runs more than the limit', () => {
    expect(ours.completed).toBe(orders.length);
    expect(ours).toMatchObject({ lost: 0, refused: 0, wastedSeconds: 0 });
    expect(totals.overdrawn).toBe(0);
    expect(totals.mostUsed).toBeLessThanOrEqual(account);
    expect(ours.peak).toBeLessThanOrEqual(totals.mostUsed);
    expect(limits).toEqual([{ at: 0, limit: account }]);
  });

  test('uses what there is: at its busiest nine tenths of the account', () => {
    expect(ours.peak).toBeGreaterThan(0.9 * account);
  });

  test('beats as many at once as are watched: thousands are lost then, and hundreds fail with three attempts', () => {
    expect(eager.lost).toBeGreaterThan(1_000);
    expect(eager.lostThrice).toBeGreaterThan(100);
    expect(eager.functionSeconds).toBeGreaterThan(1.2 * ours.functionSeconds);
    expect(at(eager.campaignSeconds, 0.95)).toBeGreaterThan(2 * at(ours.campaignSeconds, 0.95));
    expect(at(eager.videoSeconds, 1)).toBeGreaterThan(2 * at(ours.videoSeconds, 1));
  });

  test('beats so few at once that none is lost: campaigns end in a quarter of the time, for less', () => {
    expect(careful.lost).toBe(0);
    expect(at(careful.campaignSeconds, 0.5)).toBeGreaterThan(4 * at(ours.campaignSeconds, 0.5));
    expect(at(careful.campaignSeconds, 0.95)).toBeGreaterThan(4 * at(ours.campaignSeconds, 0.95));
    expect(careful.functionSeconds).toBeGreaterThan(1.05 * ours.functionSeconds);
  });

  test('makes nobody who waits pay for that, neither videos nor stills', () => {
    for (const other of [eager, careful]) {
      expect(at(ours.videoSeconds, 0.5)).toBeLessThan(1.05 * at(other.videoSeconds, 0.5));
      expect(at(ours.videoSeconds, 0.95)).toBeLessThan(at(other.videoSeconds, 0.95));
      expect(at(ours.stillSeconds, 0.95)).toBeLessThan(1.05 * at(other.stillSeconds, 0.95));
    }
  });
});

describe('a day on which others take 400 of the slots at noon', () => {
  const eager = runDefaults(100, others);
  const { day: ours, limits } = runOurs(others);
  print('Others at noon', { eager, ours });
  const limitsBetween = (from: number, to: number): number[] =>
    limits.filter((one) => one.at >= from * hour && one.at < to * hour).map((one) => one.limit);

  test('shrinks the budget, which grows back when they are gone', () => {
    expect(limitsBetween(0, 12)).toEqual([account]);
    expect(Math.min(...limitsBetween(12, 14))).toBeLessThanOrEqual(600);
    const last = limits.at(-1);
    expect(last?.limit).toBe(account);
    expect(last?.at).toBeLessThan(15 * hour);
  });

  test('costs a few renders, each once or twice, where without a budget it costs thousands', () => {
    expect(ours.completed).toBe(orders.length);
    expect(ours.lost).toBeGreaterThan(0);
    expect(ours.lost).toBeLessThan(0.02 * eager.lost);
    expect(ours.lostThrice).toBe(0);
    expect(ours.wastedSeconds).toBeLessThan(0.01 * ours.functionSeconds);
  });
});

test('a campaign that fills its share starves no wide render: one that comes in the middle of it is as fast as on an empty account', () => {
  const cells = Array.from({ length: 3_000 }, (_, index) => ({
    id: `cell-${index}`,
    arrivesAt: 0,
    kind: 'video' as const,
    urgency: 'batch' as const,
    frames: 450,
    secondsPerFrame: 0.1,
    campaign: 0,
  }));
  const wide = { ...cells[0], id: 'wide', urgency: 'interactive' as const, frames: 1_800, campaign: null };
  const seconds = (others: typeof cells): number => {
    const line = createEventLine();
    const given = [...others, { ...wide, kind: 'video' as const, arrivesAt: 100, secondsPerFrame: 0.1 }];
    const policy = ourBudget(line, account, 2_000);
    const day = simulateDay({ line, orders: given, policy, chance: createChance(3), slotsAt: () => account });
    expect(day.lost).toBe(0);
    return day.videoSeconds[0] ?? Number.NaN;
  };
  expect(seconds(cells)).toBeLessThan(1.2 * seconds([]));
});
