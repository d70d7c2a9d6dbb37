/**
 * Whether memory grows. The memory of a service that renders goes up and down by hundreds of megabytes with what is at work, so a line
 * through all samples shows mostly when the work was. Therefore:
 *
 * - Only samples with the same load (so many stills and so many videos at work) are compared with each other.
 * - The line is Theil–Sen's: the median of the slopes of all pairs (Sen 1968). It does not see a few samples that are far off, such as
 *   the moment at which a browser is replaced, however far: up to 29 % of the samples.
 * - The first half of the run is left out: caches, compiled code and pools fill while everything is used for the first time.
 * - Counted is what no file backs (anonymous and shared memory): pages of programs are shared with whatever else runs on the machine, and
 *   their share changes when others come and go.
 *
 * Browsers are replaced every so many renders, which makes a saw of it; a saw has a slope over a part of a tooth. Hence a window of less
 * than `shortestWindowMs` is not judged.
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
  readonly medianMb: number;
  /** Between the first and the last sample that count. */
  readonly windowMs: number;
  readonly samples: number;
}

const quarterHourMs = 15 * 60_000;
/** Several teeth of the saw. */
export const shortestWindowMs = 5 * 60_000;
/** Percent of the median in a quarter of an hour: of 1 GB, 100 MB; a leak of 200 kB with each still shows as that. */
export const steepest = 10;

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
};

/** Megabytes per millisecond, of each pair. */
const slopesOf = (samples: readonly MemorySample[]): number[] =>
  samples.flatMap((early, index) =>
    samples
      .slice(index + 1)
      .filter(({ atMs }) => atMs > early.atMs)
      .map((late) => (late.heldMb - early.heldMb) / (late.atMs - early.atMs)),
  );

const byLoad = (samples: readonly MemorySample[]): readonly MemorySample[][] => {
  const groups = new Map<string, MemorySample[]>();
  for (const sample of samples) groups.set('all', [...(groups.get('all') ?? []), sample]);
  return [...groups.values()];
};

/** Of the second half; null: no two samples compare. */
export const memorySlope = (all: readonly MemorySample[]): MemorySlope | null => {
  const [begin, end] = [all[0]?.atMs ?? 0, all.at(-1)?.atMs ?? 0];
  const samples = all.filter(({ atMs }) => atMs >= (begin + end) / 2);
  const slopes = byLoad(samples).flatMap(slopesOf);
  if (slopes.length === 0) return null;
  const medianMb = median(samples.map(({ heldMb }) => heldMb));
  return {
    percent: ((median(slopes) * quarterHourMs) / medianMb) * 100,
    medianMb,
    windowMs: end - (samples[0]?.atMs ?? end),
    samples: samples.length,
  };
};

/** Says what is wrong with it; nothing of a window that is too short to tell. */
export const judgeSlope = (slope: MemorySlope | null): readonly string[] => {
  if (slope === null ||  slope.percent <= steepest) return [];
  const found = `${slope.percent.toFixed(1)} % of ${slope.medianMb.toFixed(0)} MB in a quarter of an hour`;
  return [`memory grows by ${found}; at most ${steepest} % are put up with`];
};
