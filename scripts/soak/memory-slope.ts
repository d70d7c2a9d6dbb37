/**
 * Whether memory grows. The memory of a service that renders goes up and down by hundreds of megabytes with what is at work, so a line
 * through all samples shows mostly when the work was. Hence the seasonal Kendall test and its slope (Hirsch, Slack and Smith 1982), the
 * load being the season:
 *
 * - Only times with the same load (so many stills and so many videos at work) are compared with each other.
 * - The slope is the median of those of all such pairs (Theil and Sen): a browser that is replaced, or a huge picture, does not move it.
 * - It counts only where far more pairs rise than fall, as chance would have it once in a hundred runs. Samples that follow each other
 *   resemble each other, for which the test is not made; so it is given the median of each minute, about one tooth of the saw that the
 *   replacing of browsers makes.
 * - The first third of the run is left out: caches, compiled code and pools fill while everything is used for the first time.
 * - Counted is what no file backs (anonymous and shared memory): pages of programs are shared with whatever else runs on the machine, and
 *   their share changes when others come and go.
 */

export interface MemorySample {
  /** Since the begin of the run. */
  readonly atMs: number;
  readonly heldMb: number;
  /** Samples with the same word are compared. */
  readonly load: string;
}

export interface MemorySlope {
  /** Of the median, in a quarter of an hour. */
  readonly percent: number;
  /** How far more pairs rise than fall, in standard deviations of what chance makes. */
  readonly sigmas: number;
  readonly medianMb: number;
  /** Between the first and the last sample that count. */
  readonly windowMs: number;
  readonly samples: number;
}

const quarterHourMs = 15 * 60_000;
const blockMs = 60_000;
/** A shorter one has too few minutes to tell growth from chance. */
export const shortestWindowMs = 5 * 60_000;
/** Percent of the median in a quarter of an hour. Of 700 MB, with 550 exports in that time: 130 kB that each leaves behind. */
export const steepest = 10;
/** Exceeded by chance once in a hundred runs. */
const leastSigmas = 2.33;

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
};

const groupBy = <Value>(values: readonly Value[], keyOf: (value: Value) => string): readonly Value[][] => {
  const groups = new Map<string, Value[]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return [...groups.values()];
};

/** The medians of those of each minute, in their order. */
const toBlocks = (samples: readonly MemorySample[]): readonly { atMs: number; heldMb: number }[] =>
  groupBy(samples, ({ atMs }) => String(Math.floor(atMs / blockMs))).map((block) => ({
    atMs: median(block.map(({ atMs }) => atMs)),
    heldMb: median(block.map(({ heldMb }) => heldMb)),
  }));

/** Megabytes per millisecond, of each pair. */
const slopesOf = (blocks: readonly { atMs: number; heldMb: number }[]): number[] =>
  blocks.flatMap((early, index) =>
    blocks.slice(index + 1).map((late) => (late.heldMb - early.heldMb) / (late.atMs - early.atMs)),
  );

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** Kendall's: of the difference between rising and falling pairs of n values without a trend. */
const varianceOf = (n: number): number => (n * (n - 1) * (2 * n + 5)) / 18;

/** Of all but the first third; null: no two samples compare. */
export const memorySlope = (all: readonly MemorySample[]): MemorySlope | null => {
  const [begin, end] = [all[0]?.atMs ?? 0, all.at(-1)?.atMs ?? 0];
  const samples = all.filter(({ atMs }) => atMs >= begin + (end - begin) / 3);
  const seasons = groupBy(samples, ({ load }) => load).map(toBlocks);
  const slopes = seasons.flatMap(slopesOf);
  if (slopes.length === 0) return null;
  const medianMb = median(samples.map(({ heldMb }) => heldMb));
  const variance = sum(seasons.map(({ length }) => varianceOf(length)));
  return {
    percent: ((median(slopes) * quarterHourMs) / medianMb) * 100,
    sigmas: sum(slopes.map(Math.sign)) / Math.sqrt(variance),
    medianMb,
    windowMs: end - (samples[0]?.atMs ?? end),
    samples: samples.length,
  };
};

/** Says what is wrong with it; nothing of a window that is too short to tell. */
export const judgeSlope = (slope: MemorySlope | null): readonly string[] => {
  if (slope === null || slope.windowMs < shortestWindowMs) return [];
  if (slope.percent <= steepest || slope.sigmas < leastSigmas) return [];
  const found = `${slope.percent.toFixed(1)} % of ${slope.medianMb.toFixed(0)} MB in a quarter of an hour`;
  return [`memory grows by ${found} (${slope.sigmas.toFixed(1)} σ); at most ${steepest} % are put up with`];
};
