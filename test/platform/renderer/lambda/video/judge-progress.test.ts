import { describe, expect, it } from 'vitest';
import {
  judgeProgress,
  type Signs,
} from '../../../../../src/platform/renderer/lambda/video/judge-progress.ts';
import { functionsFor } from '../../../../../src/platform/renderer/lambda/video/plan-functions.ts';

const signs: Signs = {
  done: false,
  fatalErrorEncountered: false,
  renderMetadata: null,
  timeoutTimestamp: 120_000,
};
const rendering = { ...signs, renderMetadata: {} as NonNullable<Signs['renderMetadata']> };
const watch = { nowMs: 1_000, startedMs: 0, changedMs: 0, maxRenderMs: 90_000, launchWatchdogMs: 10_000 };

describe('a render', () => {
  it.each<[string, Signs, Partial<typeof watch>, string]>([
    ['goes on', signs, {}, 'going'],
    ['is done, however late', { ...signs, done: true }, { nowMs: 999_000 }, 'done'],
    ['failed', { ...signs, fatalErrorEncountered: true }, { nowMs: 999_000 }, 'failed'],
    ['goes on until the last moment', signs, { nowMs: 9_999 }, 'going'],
    ['has stalled before the first frame', signs, { nowMs: 10_000 }, 'render_stalled'],
    ['has more patience while it renders', rendering, { nowMs: 29_999 }, 'going'],
    ['has stalled while it renders', rendering, { nowMs: 30_000 }, 'render_stalled'],
    ['is kept alive by what changes', rendering, { nowMs: 80_000, changedMs: 79_000 }, 'going'],
    ['has no more time', rendering, { nowMs: 90_000, changedMs: 89_000 }, 'render_timeout'],
    [
      'goes on while the function may still say something',
      rendering,
      { nowMs: 125_000, changedMs: 124_000, maxRenderMs: 1e9 },
      'going',
    ],
    [
      'ended with its function',
      rendering,
      { nowMs: 125_001, changedMs: 124_000, maxRenderMs: 1e9 },
      'render_timeout',
    ],
  ])('%s', (_, given, changes, expected) => {
    const verdict = judgeProgress(given, { ...watch, ...changes });
    expect(typeof verdict === 'string' ? verdict : verdict.code).toBe(expected);
  });
});

describe('Remotion is asked for', () => {
  it.each([
    [30, 3, 3],
    [30, 100, 6],
    [4, 10, 1],
    [9, 10, 1],
    [10_000, 1_000, 200],
    [100, 1, 1],
  ])('(%i frames, %i slots) %i functions', (frames, slots, expected) => {
    expect(functionsFor(frames, slots)).toBe(expected);
  });
});
