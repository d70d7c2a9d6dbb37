import type { Rect, Shape } from '../shared/canvas.ts';

export type CardLayout = {
  /** The coloured field behind the product, up to the edges of the picture. */
  panel: Rect;
  /** Rating, name and description. */
  words: Rect;
  /** Price and former price. */
  offer: Rect;
  /** The sticker's corner; its size is a fraction of the shorter side of the picture. */
  badge: { x: number; y: number; size: number } | null;
  /** Type sizes at unit 1, before fitting. */
  nameSize: number;
  priceSize: number;
  offerAlign: 'start' | 'end';
  wordsAlign: 'start' | 'center';
};

const SQUARE: CardLayout = {
  panel: [0, 0, 1, 0.58],
  words: [0.06, 0.63, 0.5, 0.31],
  offer: [0.6, 0.63, 0.34, 0.31],
  badge: { x: 0.77, y: 0.49, size: 0.18 },
  nameSize: 82,
  priceSize: 150,
  offerAlign: 'end',
  wordsAlign: 'start',
};

/** 300x250 has no room for two columns under a picture: the picture goes to the side. */
export const SMALL_SQUARE: CardLayout = {
  panel: [0, 0, 0.46, 1],
  words: [0.51, 0.09, 0.44, 0.5],
  offer: [0.51, 0.62, 0.44, 0.3],
  badge: { x: 0.04, y: 0.04, size: 0.23 },
  nameSize: 118,
  priceSize: 190,
  offerAlign: 'start',
  wordsAlign: 'start',
};

export const CARD_LAYOUTS: Record<Shape, CardLayout> = {
  square: SQUARE,
  tall: {
    panel: [0, 0, 1, 0.56],
    words: [0.08, 0.605, 0.84, 0.225],
    offer: [0.08, 0.845, 0.84, 0.105],
    badge: { x: 0.7, y: 0.5, size: 0.21 },
    nameSize: 84,
    priceSize: 150,
    offerAlign: 'start',
    wordsAlign: 'start',
  },
  wide: {
    panel: [0, 0, 0.52, 1],
    words: [0.575, 0.1, 0.37, 0.52],
    offer: [0.575, 0.66, 0.37, 0.25],
    badge: { x: 0.03, y: 0.055, size: 0.235 },
    nameSize: 84,
    priceSize: 140,
    offerAlign: 'start',
    wordsAlign: 'start',
  },
  banner: {
    panel: [0, 0, 0.23, 1],
    words: [0.265, 0.12, 0.38, 0.76],
    offer: [0.68, 0.12, 0.29, 0.76],
    badge: { x: 0.165, y: 0.1, size: 0.56 },
    nameSize: 118,
    priceSize: 170,
    offerAlign: 'end',
    wordsAlign: 'center',
  },
  skyscraper: {
    panel: [0, 0, 1, 0.43],
    words: [0.09, 0.5, 0.82, 0.3],
    offer: [0.09, 0.82, 0.82, 0.15],
    badge: { x: 0.57, y: 0.36, size: 0.4 },
    nameSize: 106,
    priceSize: 190,
    offerAlign: 'start',
    wordsAlign: 'start',
  },
};
