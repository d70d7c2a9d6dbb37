import { expect, test } from 'vitest';
import { type LineSample, secondsUntilRoom } from '../../src/core/seconds-until-room.ts';

type Seen = readonly [second: number, waiting: number, accepted?: number];

const line = (...samples: readonly Seen[]): LineSample[] =>
  samples.map(([second, waiting, accepted = 0]) => ({ at: second * 1000, waiting, accepted }));

test.each([
  ['nothing was seen', line(), 1, 30],
  ['it was seen once', line([0, 10]), 1, 30],
  ['it stands still', line([0, 10], [10, 10]), 1, 30],
  ['it grows, and nobody knows by what', line([0, 10], [10, 20]), 1, 30],
  ['it is as long as before, since what left was replaced', line([0, 10, 3], [20, 10, 5]), 1, 10],
  ['one leaves in two seconds, and ten must', line([0, 100], [10, 95]), 10, 20],
  ['the pace is that of all that was seen', line([0, 100], [5, 300], [20, 80]), 10, 10],
  ['it is about to have room', line([0, 100], [1, 50]), 1, 5],
  ['it takes for ever', line([0, 100_000], [60, 99_999]), 1000, 300],
])('%s', (_what, samples, excess, seconds) => {
  expect(secondsUntilRoom(samples, excess)).toBe(seconds);
});
