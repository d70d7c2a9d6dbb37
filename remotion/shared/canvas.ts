/** The families of formats that an ad is laid out for; each composition has one layout per family. */
export type Shape = 'banner' | 'wide' | 'square' | 'tall' | 'skyscraper';

export function shapeOf(width: number, height: number): Shape {
  const ratio = width / height;
  if (ratio >= 3) return 'banner';
  if (ratio >= 1.3) return 'wide';
  if (ratio >= 0.8) return 'square';
  return ratio >= 0.42 ? 'tall' : 'skyscraper';
}

/** Below this area (300x250, 728x90, 160x600 …) only what must be read is shown. */
const SMALL_AREA_IN_PIXELS = 130_000;

export type Canvas = {
  shape: Shape;
  /** True for display-banner sizes: leave out what is not essential. */
  small: boolean;
  /** A length that grows with the picture: 1 at a million pixels, 0.27 at 300x250. */
  unit: number;
};

export function canvasOf(width: number, height: number): Canvas {
  const area = width * height;
  return { shape: shapeOf(width, height), small: area < SMALL_AREA_IN_PIXELS, unit: Math.sqrt(area) / 1000 };
}

/** A rectangle in fractions of the picture: x, y, width, height. */
export type Rect = readonly [x: number, y: number, width: number, height: number];

/** The same rectangle on the other side, for right-to-left layouts. */
export function mirrored([x, y, width, height]: Rect): Rect {
  return [1 - x - width, y, width, height];
}
