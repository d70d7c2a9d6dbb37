/** Sums of exports, and the figures that follow from them. */

/** Whose exports are summed. */
export const statScopes = ['user', 'project', 'organization'] as const;
export type StatScope = (typeof statScopes)[number];

export const statPeriods = ['day', 'month', 'all'] as const;
export type StatPeriod = (typeof statPeriods)[number];

/** What is added up: counts of exports, microseconds (whole, so that the order of adding does not matter) and bytes. */
export const statMeasures = [
  'accepted',
  'completed',
  'failed',
  'canceled',
  'cached',
  'footage_count',
  'footage_us',
  'render_count',
  'render_us',
  'bytes',
] as const;
export type StatSums = Readonly<Record<(typeof statMeasures)[number], number>>;

export const noSums: StatSums = {
  accepted: 0,
  completed: 0,
  failed: 0,
  canceled: 0,
  cached: 0,
  footage_count: 0,
  footage_us: 0,
  render_count: 0,
  render_us: 0,
  bytes: 0,
};

export const addSums = (all: readonly StatSums[]): StatSums => {
  const total = { ...noSums };
  for (const one of all) for (const measure of statMeasures) total[measure] += one[measure];
  return total;
};

export interface StatFigures {
  readonly totalExports: number;
  readonly accepted: number;
  readonly completed: number;
  readonly failed: number;
  readonly canceled: number;
  readonly cached: number;
  readonly successRate: number | null;
  readonly totalDurationSeconds: number;
  readonly averageDurationSeconds: number | null;
  readonly averageRenderMs: number | null;
  readonly bytes: number;
}

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** An average over nothing is null, never 0. */
export const figuresOf = (sums: StatSums): StatFigures => ({
  // As a project's exportCount and the daily limit count.
  totalExports: sums.accepted - sums.failed - sums.canceled,
  accepted: sums.accepted,
  completed: sums.completed,
  failed: sums.failed,
  canceled: sums.canceled,
  cached: sums.cached,
  successRate: ratio(sums.completed, sums.completed + sums.failed),
  totalDurationSeconds: sums.footage_us / 1e6,
  averageDurationSeconds: ratio(sums.footage_us / 1e6, sums.footage_count),
  averageRenderMs: ratio(sums.render_us / 1e3, sums.render_count),
  bytes: sums.bytes,
});
