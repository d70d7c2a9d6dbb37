import { describe, expect, it } from 'vitest';
import {
  benchSizes,
  benchVariants,
  cellName,
  sampleCells,
  withOneChanged,
} from '../../scripts/bench/support/campaign-cells.ts';

describe('the cells of bench:campaign', () => {
  const variants = benchVariants(50);
  const parts = [sampleCells(variants, 2, 0), sampleCells(variants, 2, 1)];

  it('samples every size equally often, so that the mean of the sample is that of the campaign', () => {
    for (const part of parts)
      for (const size of benchSizes) expect(part.filter((cell) => cell.size === size)).toHaveLength(2);
  });

  it('takes no cell twice', () => {
    const names = parts.flat().map(cellName);
    expect(new Set(names).size).toBe(40);
  });

  it('spreads the sample over the variants', () => {
    const sampled = new Set(parts.flat().map(({ variant }) => variant.name));
    expect(sampled.size).toBeGreaterThan(30);
  });

  it('has variants of which no two look the same', () => {
    expect(new Set(variants.map(({ props }) => JSON.stringify(props))).size).toBe(50);
  });

  it('changes one variant for the rerun', () => {
    const changed = withOneChanged(variants).filter((variant, index) => variant !== variants[index]);
    expect(changed).toHaveLength(1);
  });
});
