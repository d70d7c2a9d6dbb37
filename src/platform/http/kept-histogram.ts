/** A histogram whose counts a table keeps: prom-client's own knows only what it has observed itself. */
import type { Histogram } from 'prom-client';

export interface KeptHistogram {
  readonly labels: Readonly<Record<string, string>>;
  /** How many fell into each bucket alone, one more than there are bounds; what is missing at the end is 0. */
  readonly counts: readonly number[];
  readonly sum: number;
}

interface Value {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** As the exposition format wants it: each bucket with all that lies below its bound, then the sum and the count. */
export const histogramValues = (
  name: string,
  bounds: readonly number[],
  { labels, counts, sum }: KeptHistogram,
): readonly Value[] => {
  let below = 0;
  const buckets = [...bounds.map(String), '+Inf'].map((le, index) => {
    below += counts[index] ?? 0;
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: below };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: below },
  ];
};

/** What a registry asks of a metric: its name, `get` and `reset`. */
export const keptHistogram = (
  name: string,
  help: string,
  bounds: readonly number[],
  read: () => Promise<readonly KeptHistogram[]>,
): Histogram =>
  ({
    name,
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: (await read()).flatMap((one) => histogramValues(name, bounds, one)),
    }),
    reset: () => undefined,
  }) as unknown as Histogram;
