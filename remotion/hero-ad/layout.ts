import type { Rect, Shape } from '../shared/canvas.ts';

export type HeroLayout = {
  /** Brand and headline. */
  head: Rect;
  /** Subline and button. */
  aside: Rect;
  /** The drawn scene, standing on the table. */
  art: Rect;
  /** An own image, in place of the scene; it reaches the edges of the picture. */
  photo: Rect;
  /** Where the table begins, as a fraction of the height. */
  table: number;
  /** Size of the headline at unit 1, before fitting. */
  headlineSize: number;
  /** Where the columns of text stand against the edges of their rectangles. */
  headAlign: 'start' | 'center';
  asideAlign: 'start' | 'center' | 'end';
};

export const HERO_LAYOUTS: Record<Shape, HeroLayout> = {
  square: {
    head: [0.07, 0.065, 0.86, 0.36],
    aside: [0.07, 0.48, 0.36, 0.36],
    art: [0.42, 0.4, 0.56, 0.535],
    photo: [0.46, 0.455, 0.54, 0.545],
    table: 0.885,
    headlineSize: 130,
    headAlign: 'start',
    asideAlign: 'end',
  },
  tall: {
    head: [0.08, 0.07, 0.84, 0.31],
    aside: [0.08, 0.39, 0.78, 0.165],
    art: [0.06, 0.545, 0.88, 0.385],
    photo: [0, 0.58, 1, 0.42],
    table: 0.89,
    headlineSize: 140,
    headAlign: 'start',
    asideAlign: 'start',
  },
  wide: {
    head: [0.06, 0.08, 0.5, 0.45],
    aside: [0.06, 0.565, 0.44, 0.26],
    art: [0.54, 0.1, 0.42, 0.82],
    photo: [0.585, 0, 0.415, 1],
    table: 0.86,
    headlineSize: 128,
    headAlign: 'start',
    asideAlign: 'end',
  },
  banner: {
    head: [0.03, 0.1, 0.49, 0.8],
    aside: [0.54, 0.1, 0.21, 0.8],
    art: [0.78, 0.06, 0.19, 0.9],
    photo: [0.78, 0, 0.22, 1],
    table: 0.86,
    headlineSize: 130,
    headAlign: 'center',
    asideAlign: 'center',
  },
  skyscraper: {
    head: [0.1, 0.04, 0.8, 0.4],
    aside: [0.08, 0.875, 0.84, 0.1],
    art: [0.02, 0.46, 0.96, 0.36],
    photo: [0, 0.46, 1, 0.385],
    table: 0.79,
    headlineSize: 112,
    headAlign: 'start',
    asideAlign: 'center',
  },
};
