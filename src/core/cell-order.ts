/** Which cell of a first run comes when: a pure counting, so that the planning can go on from any number. */
import type { BatchSize } from './batches.ts';

export interface CellPosition {
  readonly variant: number;
  readonly size: number;
}

/**
 * The largest pictures first, all variants of a size together: what takes longest must not come last, when other slots are idle
 * already (Graham's longest-processing-time rule), and pictures of one size can share a page.
 */
export const sizesInOrder = (sizes: readonly Pick<BatchSize, 'width' | 'height'>[]): readonly number[] =>
  sizes
    .map((size, index) => ({ index, area: size.width * size.height }))
    .toSorted((a, b) => b.area - a.area || a.index - b.index)
    .map(({ index }) => index);

/** Cells `from` to `until` (not included) of variants × sizes. */
export const cellsBetween = (
  sizeOrder: readonly number[],
  variants: number,
  from: number,
  until: number,
): CellPosition[] => {
  const end = Math.min(until, sizeOrder.length * variants);
  return Array.from({ length: Math.max(0, end - from) }, (_, offset) => {
    const place = from + offset;
    return { variant: place % variants, size: sizeOrder[Math.floor(place / variants)] ?? 0 };
  });
};
