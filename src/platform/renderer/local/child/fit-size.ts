import { RendermillError } from '../../../../core/errors.ts';
import { maxPixels, maxSide, type OutputFormat } from '../../../../core/output.ts';

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface SizeRequest {
  /** The composition's own. */
  readonly own: Size;
  readonly asked: Partial<Size>;
  readonly scale: number;
  readonly format: OutputFormat;
}

/** `layout` is what the composition sees, `pixels` what the file has. */
export interface FittedSize {
  readonly layout: Size;
  readonly pixels: Size;
}

/** More than this would be a visible crop; every scale that is a multiple of a quarter needs less. */
const maxTrim = 7;

const isEvenNumber = (value: number): boolean => Number.isInteger(value) && value % 2 === 0;

/** H.264 stores colour for squares of two by two pixels. Remotion trims odd layouts too, but fails on broken numbers. */
const trimToEven = (side: number, scale: number): number | null => {
  for (let trimmed = side; trimmed > Math.max(0, side - maxTrim); trimmed--) {
    if (isEvenNumber(trimmed * scale)) return trimmed;
  }
  return null;
};

const refuse = (message: string, details: Record<string, unknown>): RendermillError =>
  new RendermillError('invalid_dimensions', { message, details });

const fitSide = (name: keyof Size, request: SizeRequest): number => {
  const asked = request.asked[name];
  const side = asked ?? request.own[name];
  if (request.format !== 'mp4') return side;
  const trimmed = trimToEven(side, request.scale);
  if (trimmed !== null && (asked === undefined || trimmed === asked)) return trimmed;
  const instead = trimmed === null ? 'Choose another scale.' : `The nearest is ${trimmed}.`;
  throw refuse(
    `An mp4 needs an even number of pixels; a ${name} of ${side} at scale ${request.scale} makes ${side * request.scale}. ${instead}`,
    { [name]: side, scale: request.scale },
  );
};

const checkLimits = (pixels: Size): void => {
  const { width, height } = pixels;
  if (width < 1 || height < 1) {
    throw refuse(`The picture would be ${width} x ${height} pixels; at least 1 x 1 is needed.`, {
      ...pixels,
    });
  }
  if (width > maxSide || height > maxSide || width * height > maxPixels) {
    throw refuse(
      `The picture would be ${width} x ${height} pixels; at most ${maxSide} along a side and ${maxPixels} in all can be rendered.`,
      { ...pixels, maxSide, maxPixels },
    );
  }
};

/**
 * The composition's size or the one asked for. A size that was asked for is never changed: when the format cannot have it, this
 * throws `invalid_dimensions`. An odd size of the composition's own is trimmed for mp4 by the fewest possible pixels.
 */
export const fitSize = (request: SizeRequest): FittedSize => {
  const layout = { width: fitSide('width', request), height: fitSide('height', request) };
  // Chromium rounds a broken number of pixels to the nearest.
  const pixels = {
    width: Math.round(layout.width * request.scale),
    height: Math.round(layout.height * request.scale),
  };
  checkLimits(pixels);
  return { layout, pixels };
};
