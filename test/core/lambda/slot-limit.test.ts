import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  grow,
  openLimit,
  type SlotLimit,
  shrink,
  underCeiling,
} from '../../../src/core/lambda/slot-limit.ts';

const at = (seconds: number) => new Date(Date.UTC(2026, 2, 10, 12) + seconds * 1_000);
const full = openLimit(1_000, at(0));

describe('a refusal by AWS', () => {
  test('shrinks the limit to 70 % of what was in use, not of what would have been allowed', () => {
    expect(shrink(full, 1_000, at(60)).limit).toBe(700);
    expect(shrink(full, 500, at(60)).limit).toBe(350);
  });

  test('counts once in a burst, and again after it', () => {
    const first = shrink(full, 1_000, at(60));
    expect(shrink(first, 1_000, at(70))).toBe(first);
    expect(shrink(first, 700, at(76)).limit).toBe(490);
  });

  test('does not make a burst longer: one that goes on is answered again', () => {
    let state = full;
    for (let second = 0; second <= 60; second += 5) state = shrink(state, state.limit, at(second));
    expect(state.limit).toBe(168);
  });

  test('leaves enough for one render, and no more than there was', () => {
    expect(shrink(full, 3, at(60)).limit).toBe(10);
    expect(shrink(openLimit(6, at(0)), 6, at(60)).limit).toBe(6);
    expect(shrink({ ...full, limit: 12 }, 3, at(60)).limit).toBe(10);
  });
});

describe('time without a refusal', () => {
  test('lets the limit grow by a hundredth of the ceiling in ten seconds, up to the ceiling', () => {
    const shrunk = shrink(full, 1_000, at(60));
    expect(grow(shrunk, at(69))).toBe(shrunk);
    expect(grow(shrunk, at(70)).limit).toBe(710);
    expect(grow(shrunk, at(60 + 299)).limit).toBe(990);
    expect(grow(shrunk, at(60 + 3_600)).limit).toBe(1_000);
  });

  test('lets a small limit grow as well', () => {
    const shrunk = shrink(openLimit(20, at(0)), 20, at(0));
    expect(grow(shrunk, at(30)).limit).toBe(17);
  });

  test('counts the same however often somebody looks', () => {
    const shrunk = shrink(full, 1_000, at(0));
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 30 }), (looks) => {
        const looked = looks
          .toSorted((a, b) => a - b)
          .reduce<SlotLimit>((state, second) => grow(state, at(second)), shrunk);
        expect(grow(looked, at(400)).limit).toBe(grow(shrunk, at(400)).limit);
      }),
    );
  });

  test('that was spent at the ceiling earns nothing in advance', () => {
    const late = shrink(grow(full, at(5_000)), 1_000, at(5_000));
    expect(grow(late, at(5_009)).limit).toBe(700);
  });
});

describe('another ceiling', () => {
  test('takes a full limit along at once, and cuts a larger one', () => {
    expect(underCeiling(full, 3_000)).toMatchObject({ limit: 3_000, ceiling: 3_000 });
    expect(underCeiling(full, 200)).toMatchObject({ limit: 200, ceiling: 200 });
    expect(underCeiling(full, 1_000)).toBe(full);
  });

  test('leaves a shrunk limit to grow', () => {
    const shrunk = shrink(full, 1_000, at(0));
    expect(underCeiling(shrunk, 3_000)).toMatchObject({ limit: 700, ceiling: 3_000 });
  });
});

test('the limit stays between one render and the ceiling, whatever happens', () => {
  const happening = fc.record({
    after: fc.nat(120),
    used: fc.nat(1_200),
    what: fc.constantFrom('shrink', 'grow'),
  });
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 60 }), (happenings) => {
      let second = 0;
      let state = full;
      for (const one of happenings) {
        second += one.after;
        state = one.what === 'shrink' ? shrink(state, one.used, at(second)) : grow(state, at(second));
        expect(state.limit).toBeGreaterThanOrEqual(10);
        expect(state.limit).toBeLessThanOrEqual(1_000);
      }
    }),
  );
});
