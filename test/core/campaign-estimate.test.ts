import { describe, expect, test } from 'vitest';
import { estimateBatch, secondsLeft } from '../../src/core/campaign-estimate.ts';

const measured = { exports: 10, renderMs: 2_000, cost: 0, work: 10 };
const nothing = { exports: 0, renderMs: 0, cost: 0, work: 0 };

describe('the estimate of a batch', () => {
  test.each([
    ['stills by the default', 'still', 100, nothing, 1, { seconds: 13, basis: 'default', cost: null }],
    ['stills on two slots', 'still', 100, nothing, 2, { seconds: 7, basis: 'default', cost: null }],
    [
      'stills by what was measured',
      'still',
      100,
      measured,
      1,
      { seconds: 20, basis: 'measured', cost: null },
    ],
    [
      'too few measured',
      'still',
      100,
      { ...measured, exports: 4 },
      1,
      { seconds: 13, basis: 'default', cost: null },
    ],
    [
      'measured of nothing',
      'still',
      100,
      { ...measured, work: 0 },
      1,
      { seconds: 13, basis: 'default', cost: null },
    ],
    ['videos by their footage', 'video', 10, nothing, 1, { seconds: 40, basis: 'default', cost: null }],
    ['nothing to render', 'still', 0, measured, 1, { seconds: 0, basis: 'measured', cost: null }],
    ['no worker', 'still', 100, measured, 0, null],
  ] as const)('%s', (_what, kind, work, pace, slots, expected) => {
    expect(estimateBatch({ kind, renderMode: 'local', work }, pace, slots)).toEqual(expected);
  });
});

describe('the estimate of a batch on Lambda', () => {
  const load = { kind: 'still', renderMode: 'lambda', work: 100 } as const;
  test.each([
    ['before enough was measured there: no guess', nothing, 10, null],
    ['with too few measured', { ...measured, exports: 4, cost: 1 }, 10, null],
    [
      'as measured there, with its price',
      { ...measured, cost: 0.5 },
      10,
      { seconds: 2, basis: 'measured', cost: 5 },
    ],
    ['without a worker that would start it', { ...measured, cost: 0.5 }, 0, null],
  ] as const)('%s', (_what, pace, slots, expected) => {
    expect(estimateBatch(load, pace, slots)).toEqual(expected);
  });
});

describe('the seconds left of a run', () => {
  const run = { total: 100, done: 50, cached: 0, canceled: 0, elapsedMs: 10_000 };
  test.each([
    ['at its pace', run, 10],
    ['cached ones say nothing of the pace', { ...run, cached: 40 }, 50],
    ['canceled ones neither', { ...run, canceled: 25 }, 20],
    ['before anything was rendered', { ...run, done: 0 }, null],
    ['at the end', { ...run, done: 100 }, 0],
  ])('%s', (_what, given, expected) => {
    expect(secondsLeft(given)).toBe(expected);
  });
});
