import { expect, test } from 'vitest';
import { isPoison } from '../../../src/core/delivery/poison.ts';
import { hours } from '../../support/factories.ts';

const at = (hour: number): Date => new Date(Date.UTC(2026, 2, 10) + hours(hour));
/** Attempts of the schedule, so many hours after the first. */
const schedule = [0, 0.001, 0.1, 0.6, 2.6, 7.6];
const earlier = (...statuses: readonly (number | undefined)[]) =>
  statuses.map((status, n) => ({ at: at(schedule[n] ?? 0), status }));

test.each([
  [
    'the fifth refusal, another event accepted since the fourth',
    400,
    earlier(400, 400, 400, 400),
    at(2),
    true,
  ],
  ['of any status that speaks of the event', 422, earlier(400, 413, 422, 400), at(2), true],
  [
    'the sixth, where nothing was accepted before the fifth',
    400,
    earlier(400, 400, 400, 400, 400),
    at(7),
    true,
  ],
  ['the fourth', 400, earlier(400, 400, 400), at(2), false],
  ['an endpoint that accepts nothing', 400, earlier(400, 400, 400, 400), null, false],
  [
    'one that broke as a whole right after it had accepted another',
    400,
    earlier(400, 400, 400, 400),
    at(0.01),
    false,
  ],
  ['one that wants other credentials', 401, earlier(401, 401, 401, 401), at(2), false],
  ['one that is not there any more', 404, earlier(400, 400, 400, 400), at(2), false],
  ['one that was away in between, which is no refusal', 400, earlier(400, 400, 503, undefined), at(2), false],
  ['one that did not answer', undefined, earlier(400, 400, 400, 400), at(2), false],
])('%s', (_what, status, before, acceptedAt, expected) => {
  expect(isPoison({ status, earlier: before, acceptedAt })).toBe(expected);
});
