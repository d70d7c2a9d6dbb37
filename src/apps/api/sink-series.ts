/** Which series the metrics have of sinks. */
import { breakerState } from '../../core/delivery/breaker.ts';
import type { SinkFigures } from '../../domain/deliveries/read-deliveries.ts';

export interface SinkSeries {
  readonly labels: { readonly sink: string; readonly kind: string };
  readonly pending: number;
  readonly oldestSeconds: number;
  readonly delivered: number;
  readonly skipped: number;
  readonly failed: number;
  readonly dead: number;
  readonly latencyMs: number;
  readonly latencyBuckets: readonly number[];
  /** How many of them nothing is sent to. */
  readonly open: number;
  /** How many are disabled. */
  readonly disabled: number;
  /** Since it has accepted anything of what it was sent; 0: it is well. Of several: of the worst. */
  readonly failingSeconds: number;
}

/** With more, those of organizations are counted together by their kind: a series for each would be too many to keep. */
export const mostSinks = 100;

const seriesOf = (figures: SinkFigures, sink: string, now: Date): SinkSeries => ({
  ...figures,
  labels: { sink, kind: figures.kind },
  open: breakerState(figures, now) === 'closed' ? 0 : 1,
  disabled: figures.status === 'disabled' ? 1 : 0,
  failingSeconds:
    figures.failingSince === null ? 0 : Math.max(0, (now.getTime() - figures.failingSince.getTime()) / 1_000),
});

const addBuckets = (a: readonly number[], b: readonly number[]): number[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, n) => (a[n] ?? 0) + (b[n] ?? 0));

const join = (a: SinkSeries, b: SinkSeries): SinkSeries => ({
  labels: a.labels,
  pending: a.pending + b.pending,
  oldestSeconds: Math.max(a.oldestSeconds, b.oldestSeconds),
  delivered: a.delivered + b.delivered,
  skipped: a.skipped + b.skipped,
  failed: a.failed + b.failed,
  dead: a.dead + b.dead,
  latencyMs: a.latencyMs + b.latencyMs,
  latencyBuckets: addBuckets(a.latencyBuckets, b.latencyBuckets),
  open: a.open + b.open,
  disabled: a.disabled + b.disabled,
  failingSeconds: Math.max(a.failingSeconds, b.failingSeconds),
});

export const sinkSeries = (sinks: readonly SinkFigures[], now: Date): readonly SinkSeries[] => {
  if (sinks.length <= mostSinks) return sinks.map((one) => seriesOf(one, one.sinkId, now));
  const joined = new Map<string, SinkSeries>();
  for (const one of sinks) {
    const sink = one.organizationId === null ? one.sinkId : 'organizations';
    const series = seriesOf(one, sink, now);
    const key = `${sink}/${one.kind}`;
    const before = joined.get(key);
    joined.set(key, before ? join(before, series) : series);
  }
  return [...joined.values()];
};
