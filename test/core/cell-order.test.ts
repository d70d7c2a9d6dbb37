import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellsBetween, sizesInOrder } from '../../src/core/cell-order.ts';

const square = (side: number) => ({ width: side, height: side });

describe('the order of sizes', () => {
  test.each([
    ['largest first', [square(1), square(3), square(2)], [1, 2, 0]],
    ['by area, not by a side', [{ width: 10, height: 1 }, square(4)], [1, 0]],
    ['equal ones as they were given', [square(2), square(2), square(2)], [0, 1, 2]],
    ['none', [], []],
  ])('%s', (_what, sizes, expected) => {
    expect(sizesInOrder(sizes)).toEqual(expected);
  });
});

describe('the cells', () => {
  test('of a size come together, variant by variant', () => {
    expect(cellsBetween([1, 0], 2, 0, 10)).toEqual([
      { variant: 0, size: 1 },
      { variant: 1, size: 1 },
      { variant: 0, size: 0 },
      { variant: 1, size: 0 },
    ]);
  });

  test('past the end there are none', () => {
    expect(cellsBetween([0], 3, 3, 10)).toEqual([]);
    expect(cellsBetween([0], 3, 7, 10)).toEqual([]);
  });

  test('cut into parts of any length are each cell once', () => {
    const counts = fc.record({
      sizes: fc.integer({ min: 1, max: 8 }),
      variants: fc.integer({ min: 1, max: 40 }),
      part: fc.integer({ min: 1, max: 50 }),
    });
    fc.assert(
      fc.property(counts, ({ sizes, variants, part }) => {
        const order = sizesInOrder(Array.from({ length: sizes }, (_, index) => square(index + 1)));
        const parts = [];
        for (let from = 0; from < sizes * variants; from += part)
          parts.push(...cellsBetween(order, variants, from, from + part));
        expect(parts).toEqual(cellsBetween(order, variants, 0, sizes * variants));
        expect(new Set(parts.map((cell) => `${cell.variant}/${cell.size}`)).size).toBe(sizes * variants);
      }),
    );
  });
});
