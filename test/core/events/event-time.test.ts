import { expect, test } from 'vitest';
import { judgeEventTime } from '../../../src/core/events/event-time.ts';

const now = new Date('2026-03-10T12:00:00.000Z');

test.each<[string, string | number | undefined, string]>([
  ['none is now', undefined, '2026-03-10T12:00:00.000Z'],
  ['a zone is converted', '2026-03-10T12:00:00+02:00', '2026-03-10T10:00:00.000Z'],
  ['milliseconds are since 1970', Date.UTC(2026, 2, 9), '2026-03-09T00:00:00.000Z'],
  ['what is long ago stays', '2000-01-01T00:00:00Z', '2000-01-01T00:00:00.000Z'],
  ['five minutes ahead stay', '2026-03-10T12:05:00Z', '2026-03-10T12:05:00.000Z'],
])('%s', (_what, given, at) => {
  expect(judgeEventTime(given, now)).toEqual({ type: 'time', at: new Date(at) });
});

test.each([
  ['a moment more than five minutes', '2026-03-10T12:05:00.001Z', '2026-03-10T12:05:00.001Z'],
  ['an hour', now.getTime() + 3_600_000, '2026-03-10T13:00:00.000Z'],
  ['thousands of years', '9999-12-31T23:59:59Z', '9999-12-31T23:59:59.000Z'],
])('%s ahead is our time, and the claim is kept', (_what, given, claimed) => {
  expect(judgeEventTime(given, now)).toEqual({ type: 'time', at: now, claimed });
});

test.each([
  ['before 2000', '1999-12-31T23:59:59Z', /before the year 2000/],
  ['seconds since 1970', 1_770_000_000, /look like seconds/],
  ['a day that is none', '2026-02-30T99:00:00Z', /does not exist|not a time/],
  ['a number without end', 1e300, /not a time/],
  ['before all time', -1e15, /before the year 2000/],
])('%s is refused', (_what, given, reason) => {
  expect(judgeEventTime(given, now)).toMatchObject({
    type: 'refused',
    reason: expect.stringMatching(reason),
  });
});
