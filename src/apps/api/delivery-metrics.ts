import { latencyBounds } from '../../core/delivery/latency-buckets.ts';
import { sinkFigures } from '../../domain/deliveries/read-deliveries.ts';
import { findLogHolder } from '../../domain/events/log-holder.ts';
import { readLogLag } from '../../domain/events/log-lag.ts';
import { projectorName } from '../../domain/events/read-page.ts';
import type { LabelledValue, Metrics } from '../../platform/http/metrics.ts';
import type { Resources } from '../resources.ts';
import { readOnce } from './read-once.ts';
import { type SinkSeries, sinkSeries } from './sink-series.ts';

const ended = ['delivered', 'skipped', 'failed', 'dead'] as const;

/** What happened to events on their way, by sink. */
export const registerDeliveryMetrics = (
  metrics: Metrics,
  { db, clock }: Pick<Resources, 'db' | 'clock'>,
): void => {
  const read = readOnce(async () => {
    const now = clock.now();
    return sinkSeries(await sinkFigures(db, now), now);
  });
  const of = (value: (one: SinkSeries) => number) => async (): Promise<LabelledValue[]> =>
    (await read()).map((one) => ({ labels: one.labels, value: value(one) }));
  const labels = ['sink', 'kind'];

  metrics.gaugeBy(
    'rendermill_deliveries_pending',
    'Deliveries that wait or are on their way, counted up to 100,000 each',
    labels,
    of((one) => one.pending),
  );
  metrics.gaugeBy(
    'rendermill_deliveries_oldest_seconds',
    'Since the oldest of these was made',
    labels,
    of((one) => one.oldestSeconds),
  );
  metrics.gaugeBy(
    'rendermill_sink_open',
    '1 while the circuit breaker is not closed; where sinks are counted together, of how many',
    labels,
    of((one) => one.open),
  );
  metrics.gaugeBy(
    'rendermill_sink_failing_seconds',
    'Since it has accepted nothing of what it was sent; 0: it is well; where sinks are counted together, of the worst',
    labels,
    of((one) => one.failingSeconds),
  );
  metrics.gaugeBy(
    'rendermill_sink_disabled',
    '1 where it is disabled: it misses what happens; where sinks are counted together, how many',
    labels,
    of((one) => one.disabled),
  );
  metrics.counterBy(
    'rendermill_deliveries_total',
    'Deliveries that ended delivered, skipped or dead, and attempts that failed',
    [...labels, 'outcome'],
    async () =>
      (await read()).flatMap((one) =>
        ended.map((outcome) => ({ labels: { ...one.labels, outcome }, value: one[outcome] })),
      ),
  );
  metrics.histogramBy(
    'rendermill_delivery_latency_seconds',
    'From the commit of an event to its acceptance by the sink',
    latencyBounds,
    async () =>
      (await read()).map(({ labels: names, latencyBuckets, latencyMs }) => ({
        labels: names,
        counts: latencyBuckets,
        sum: latencyMs / 1_000,
      })),
  );
  metrics.gauge(
    'rendermill_event_log_lag',
    'Events that the dispatcher has not read yet, counted up to 100,000',
    async () => (await readLogLag(db, projectorName, clock.now())).events,
  );
  metrics.gauge(
    'rendermill_event_log_held_seconds',
    'Since the oldest transaction that is open and has written began, in whatever database of the server: what is recorded meanwhile waits for its end; 0: there is none',
    async () => {
      const holder = await findLogHolder(db);
      if (holder === null) return 0;
      // Where its age is hidden from this role, it is held up for as long as anything waits.
      return holder.seconds ?? (await readLogLag(db, projectorName, clock.now())).seconds;
    },
  );
};
