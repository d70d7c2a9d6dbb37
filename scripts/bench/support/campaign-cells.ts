/** The cells of the campaign bench: ten sizes that advertisers ask for, and variants that differ in all of their texts. */

export interface BenchSize {
  readonly name: string;
  readonly width: number;
  readonly height: number;
}

export interface BenchVariant {
  readonly name: string;
  readonly props: Readonly<Record<string, unknown>>;
}

export interface BenchCell {
  readonly variant: BenchVariant;
  readonly size: BenchSize;
}

export const benchCompositionId = 'example-hero-ad';

const sides = [
  [300, 250],
  [728, 90],
  [160, 600],
  [320, 50],
  [970, 250],
  [1200, 628],
  [1200, 1200],
  [1080, 1080],
  [1920, 1080],
  [1080, 1920],
] as const;

export const benchSizes: readonly BenchSize[] = sides.map(([width, height]) => ({
  name: `${width}x${height}`,
  width,
  height,
}));

const headlines = [
  'Light that knows the hour',
  'Evenings, gently lit',
  'The lamp that goes to bed with you',
  'A small sun for long winters',
  'Read on, it dims with you',
] as const;
const places = ['the desk', 'the hall', 'the nursery', 'the kitchen table', 'a reading chair'] as const;
const palettes = ['dusk', 'linen', 'fjord', 'moss'] as const;
const accents = ['#f2603c', '#3d7bf2', '#e0a21b', '#2f9e6e', '#b14ad1', '#d6336c', '#0c8599'] as const;

const pick = <Value>(values: readonly Value[], index: number): Value =>
  values[index % values.length] as Value;

const variantOf = (index: number): BenchVariant => {
  const edition = index + 1;
  return {
    name: `variant-${String(edition).padStart(4, '0')}`,
    props: {
      headline: `${pick(headlines, index)}, No. ${edition}`,
      subline: `Edition ${edition} of Aften follows the sun, made for ${pick(places, Math.floor(index / headlines.length))}.`,
      callToAction: `Meet Aften ${edition}`,
      brandName: 'Solvik',
      palette: pick(palettes, index),
      accentColor: pick(accents, index),
    },
  };
};

export const benchVariants = (count: number): BenchVariant[] =>
  Array.from({ length: count }, (_, index) => variantOf(index));

/** The campaign of the next day: one variant says something else. */
export const withOneChanged = (variants: readonly BenchVariant[]): BenchVariant[] => {
  const middle = Math.floor(variants.length / 2);
  return variants.map((variant, index) =>
    index === middle
      ? { ...variant, props: { ...variant.props, headline: 'A new word for light' } }
      : variant,
  );
};

/**
 * `perSize` cells of each size, spread over the variants; every size weighs the same, as it does in the campaign, so that the sample's
 * mean is the campaign's. Parts 0 and 1 have different cells.
 */
export const sampleCells = (
  variants: readonly BenchVariant[],
  perSize: number,
  part: 0 | 1,
): readonly BenchCell[] =>
  Array.from({ length: perSize }, (_, round) =>
    benchSizes.map((size, index) => {
      const place = (round * 2 + part) / (perSize * 2) + index / (perSize * 2 * benchSizes.length);
      return { variant: pick(variants, Math.floor(place * variants.length)), size };
    }),
  ).flat();

/** One cell of every `step`th size: the CLI takes seconds for each, whatever its size. */
export const spreadSample = (cells: readonly BenchCell[], count: number): readonly BenchCell[] =>
  Array.from({ length: count }, (_, index) =>
    pick(cells, Math.floor(((index + 0.5) * cells.length) / count)),
  );

export const cellName = ({ variant, size }: BenchCell): string => `${variant.name} ${size.name}`;
