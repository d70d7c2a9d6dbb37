/** What arrives during a soak, and when: by the clock, whatever the service makes of it. No chance in it, so that two soaks compare. */
import type { OutputFormat } from '../../src/core/output.ts';

export interface SoakSize {
  /** Of what arrives; a machine that cannot keep up takes longer. */
  readonly minutes: number;
  /** Those of the campaign and those that fail or are canceled included. */
  readonly stills: number;
  /** The long ones included. */
  readonly videos: number;
  /** Seconds of footage of those that are not long. */
  readonly videoSeconds: number;
}

export type Follow = 'nothing' | 'download' | 'cancel at once' | 'cancel at work';

export interface RenderArrival {
  readonly type: 'render';
  readonly atMs: number;
  readonly userId: string;
  readonly kind: 'still' | 'video';
  readonly compositionId: string;
  readonly format: OutputFormat;
  readonly width: number;
  readonly height: number;
  readonly frameRange?: readonly [number, number];
  readonly props: Readonly<Record<string, unknown>>;
  readonly follow: Follow;
  /** Its composition looks for a picture that is not there. */
  readonly fails: boolean;
}

export interface CampaignArrival {
  readonly type: 'campaign';
  readonly atMs: number;
  readonly userId: string;
  readonly sizes: ReadonlyArray<{ readonly name: string; readonly width: number; readonly height: number }>;
  readonly variants: ReadonlyArray<{
    readonly name: string;
    readonly props: Readonly<Record<string, unknown>>;
  }>;
}

export type Arrival = RenderArrival | CampaignArrival;

export interface SoakPlan {
  /** By their time. */
  readonly arrivals: readonly Arrival[];
  /** One after the other when all others have ended: a video is cut only where another worker has nothing to do. */
  readonly long: readonly RenderArrival[];
}

export const soakUsers = ['ada', 'ben', 'cyd'] as const;

const sides = [
  [300, 250],
  [728, 90],
  [160, 600],
  [640, 640],
  [1200, 628],
  [1080, 1080],
  [320, 50],
  [1080, 1920],
] as const;
const stillFormats = ['png', 'jpeg', 'webp', 'jpeg'] as const;
const videoFormats = ['mp4', 'mp4', 'mp4', 'webm', 'mp4', 'gif'] as const;
const palettes = ['dusk', 'linen', 'fjord', 'moss'] as const;
const promoPalettes = ['signal', 'orchard', 'midnight'] as const;
const promoFps = 30;
const longSeconds = 10;
/** Of all stills. */
const campaignShare = 0.2;

const pick = <Value>(values: readonly Value[], index: number): Value =>
  values[index % values.length] as Value;

const times = <Value>(count: number, make: (index: number) => Value): Value[] =>
  Array.from({ length: count }, (_, index) => make(index));

const isEach = (index: number, every: number, from: number): boolean => index % every === from;

const followStill = (index: number): Follow => {
  if (isEach(index, 40, 17)) return 'cancel at once';
  return isEach(index, 10, 3) ? 'download' : 'nothing';
};

const stillAt = (index: number, atMs: number): RenderArrival => {
  const [width, height] = pick(sides, index);
  const fails = isEach(index, 40, 6);
  const isCard = isEach(index, 4, 1);
  const own = isCard
    ? { productName: `Radio ${index}`, price: 100 + index }
    : { headline: `Number ${index}`, palette: pick(palettes, index) };
  return {
    type: 'render',
    atMs,
    userId: pick(soakUsers, index),
    kind: 'still',
    compositionId: isCard ? 'product-card' : 'example-hero-ad',
    format: pick(stillFormats, index),
    width,
    height,
    props: { ...own, ...(fails ? { image: 'no-such-picture.png' } : {}) },
    follow: fails ? 'nothing' : followStill(index),
    fails,
  };
};

const video = { type: 'render', kind: 'video', compositionId: 'promo-video', fails: false } as const;

const followVideo = (index: number): Follow => {
  if (isEach(index, 16, 5)) return 'cancel at work';
  return isEach(index, 5, 1) ? 'download' : 'nothing';
};

const videoAt = (index: number, atMs: number, seconds: number): RenderArrival => ({
  ...video,
  atMs,
  userId: pick(soakUsers, index),
  format: pick(videoFormats, index),
  ...(isEach(index, 2, 0) ? { width: 320, height: 180 } : { width: 360, height: 360 }),
  frameRange: [0, Math.round(seconds * promoFps) - 1],
  props: { palette: pick(promoPalettes, index), sound: isEach(index, 3, 0), brandName: `Mill ${index}` },
  follow: followVideo(index),
});

const longVideo = (index: number): RenderArrival => ({
  ...video,
  atMs: 0,
  userId: pick(soakUsers, index),
  format: 'mp4',
  width: 640,
  height: 360,
  props: { durationInSeconds: longSeconds, tagline: `The long way ${index}` },
  follow: 'download',
});

const campaignOf = (cells: number, atMs: number): CampaignArrival => {
  const sizes = sides.slice(0, 5).map(([width, height]) => ({ name: `${width}x${height}`, width, height }));
  return {
    type: 'campaign',
    atMs,
    userId: soakUsers[0],
    sizes,
    variants: times(Math.round(cells / sizes.length), (index) => ({
      name: `variant ${index + 1}`,
      props: { headline: `Edition ${index + 1}`, palette: pick(palettes, index) },
    })),
  };
};

/** Cells of the campaign: a fifth of the stills, as a multiple of its five sizes. */
const cellsOf = (stills: number): number => Math.round((stills * campaignShare) / 5) * 5;

export const planSoak = ({ minutes, stills, videos, videoSeconds }: SoakSize): SoakPlan => {
  const durationMs = minutes * 60_000;
  const cells = cellsOf(stills);
  const long = videos < 10 ? 1 : 2;
  const [singles, shorts] = [stills - cells, videos - long];
  const spread = (index: number, count: number) => Math.round(((index + 0.5) / count) * durationMs);
  const arrivals: Arrival[] = [
    ...times(singles, (index) => stillAt(index, spread(index, singles))),
    ...times(shorts, (index) => videoAt(index, spread(index, shorts), videoSeconds)),
    ...(cells > 0 ? [campaignOf(cells, Math.round(durationMs / 3))] : []),
  ];
  return { arrivals: arrivals.toSorted((a, b) => a.atMs - b.atMs), long: times(long, longVideo) };
};
