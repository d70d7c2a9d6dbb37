import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addDays, daysIn, monthsOf, monthsUntil, planWindow } from '../../src/core/statistics-window.ts';

const today = '2028-03-10';

describe('a window of days', () => {
  test.each([
    [{}, '2028-02-10', '2028-03-10'],
    [{ until: '2028-03-01' }, '2028-02-01', '2028-03-01'],
    [{ from: '2028-03-01' }, '2028-03-01', '2028-03-10'],
    [{ from: '2028-03-10' }, '2028-03-10', '2028-03-10'],
    [{ from: '2028-01-01', until: '2028-12-31' }, '2028-01-01', '2028-12-31'],
  ])('asked for as %o is from %s to %s', (asked, from, until) => {
    expect(planWindow(asked, today)).toEqual({ from, until });
  });

  test.each([
    [{ from: '2028-03-11' }, 'begins on 2028-03-11, after its last day (today, 2028-03-10)'],
    [{ from: '2028-02-02', until: '2028-02-01' }, 'begins on 2028-02-02, after its last day (2028-02-01)'],
    [{ from: '2027-01-01', until: '2028-01-02' }, 'has 367 days; 366 are the most'],
    [{ from: '0000-02-01' }, '0000-02-01 is out of reach'],
    [{ until: '9999-12-31' }, '9999-12-31 is out of reach'],
  ])('asked for as %o is refused, with what was wrong', (asked, message) => {
    expect(() => planWindow(asked, today)).toThrow(message);
  });

  test('has each of its days once, leap days and ends of years included', () => {
    expect(daysIn({ from: '2028-02-28', until: '2028-03-01' })).toEqual([
      '2028-02-28',
      '2028-02-29',
      '2028-03-01',
    ]);
    expect(daysIn({ from: '2027-12-31', until: '2028-01-01' })).toEqual(['2027-12-31', '2028-01-01']);
  });

  test('has months whose bits are its days', () => {
    expect(monthsOf({ from: '2028-01-31', until: '2028-03-02' })).toEqual([
      { month: '2028-01-01', days: 1 << 30 },
      { month: '2028-02-01', days: 2 ** 29 - 1 },
      { month: '2028-03-01', days: 0b11 },
    ]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 365 }), (first, length) => {
        const from = addDays('1990-01-01', first);
        const window = { from, until: addDays(from, length) };
        const days = monthsOf(window).flatMap((one) =>
          Array.from({ length: 31 }, (_, bit) => bit)
            .filter((bit) => (one.days >> bit) & 1)
            .map((bit) => `${one.month.slice(0, 8)}${String(bit + 1).padStart(2, '0')}`),
        );
        expect(days).toEqual(daysIn(window));
      }),
    );
  });
});

test('months end with that of the day, across the year', () => {
  expect(monthsUntil('2028-02-29', 4)).toEqual(['2027-11-01', '2027-12-01', '2028-01-01', '2028-02-01']);
});
