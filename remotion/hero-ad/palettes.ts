import type { HeroAdProps } from './schema.ts';

export type Palette = {
  wall: string;
  /** Rings of light around the lamp, from the outermost to the innermost. */
  glow: readonly [string, string, string, string];
  table: string;
  tableEdge: string;
  ink: string;
  quiet: string;
  objects: readonly [string, string, string];
};

export const PALETTES: Record<HeroAdProps['palette'], Palette> = {
  dusk: {
    wall: '#2b1a2f',
    glow: ['#351f38', '#472741', '#68344a', '#a04f4d'],
    table: '#180e1c',
    tableEdge: '#3a2138',
    ink: '#fff1de',
    quiet: '#d9bfb8',
    objects: ['#e9b872', '#96566f', '#f4dfc8'],
  },
  linen: {
    wall: '#efe5d6',
    glow: ['#f3e9d5', '#f7ecd0', '#fbeec5', '#fff2bd'],
    table: '#c9a27a',
    tableEdge: '#e0bf97',
    ink: '#2b1d14',
    quiet: '#6a5444',
    objects: ['#4d6a5b', '#a8452e', '#fbf4e8'],
  },
  fjord: {
    wall: '#0e3440',
    glow: ['#123d49', '#184a55', '#2a6468', '#5c9088'],
    table: '#082029',
    tableEdge: '#1b4a55',
    ink: '#f1f6ea',
    quiet: '#b2cdc8',
    objects: ['#e7c46a', '#35707a', '#e6efe4'],
  },
  moss: {
    wall: '#d9dcb8',
    glow: ['#dfe1b9', '#e7e7b6', '#f1edb3', '#fbf3b5'],
    table: '#4b5a33',
    tableEdge: '#75854b',
    ink: '#202a16',
    quiet: '#4c5639',
    objects: ['#8c4a2f', '#2f4a3c', '#f4efd6'],
  },
};
