import type { Rect, Shape } from '../shared/canvas.ts';

export type PromoLayout = {
  words: Rect;
  tiles: Rect;
  /** Rows and columns of the tile field; chosen so that tiles come out nearly square. */
  grid: { columns: number; rows: number };
  headlineSize: number;
  /** Brand and page number along the lower edge; null where there is no room. */
  footer: Rect | null;
};

export const PROMO_LAYOUTS: Record<Shape, PromoLayout> = {
  wide: {
    words: [0.055, 0.1, 0.44, 0.68],
    tiles: [0.5417, 0, 0.4583, 1],
    grid: { columns: 3, rows: 4 },
    headlineSize: 150,
    footer: [0.055, 0.86, 0.44, 0.06],
  },
  square: {
    words: [0.07, 0.07, 0.86, 0.33],
    tiles: [0, 0.5, 1, 0.5],
    grid: { columns: 4, rows: 2 },
    headlineSize: 150,
    footer: [0.07, 0.435, 0.86, 0.035],
  },
  tall: {
    words: [0.08, 0.08, 0.84, 0.32],
    tiles: [0, 0.5, 1, 0.5],
    grid: { columns: 3, rows: 3 },
    headlineSize: 150,
    footer: [0.08, 0.43, 0.84, 0.03],
  },
  banner: {
    words: [0.03, 0.1, 0.45, 0.8],
    tiles: [0.5055, 0, 0.4945, 1],
    grid: { columns: 8, rows: 2 },
    headlineSize: 150,
    footer: null,
  },
  skyscraper: {
    words: [0.09, 0.04, 0.82, 0.27],
    tiles: [0, 0.3333, 1, 0.6667],
    grid: { columns: 2, rows: 5 },
    headlineSize: 130,
    footer: null,
  },
};
