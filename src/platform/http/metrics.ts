import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { type KeptHistogram, keptHistogram } from './kept-histogram.ts';
import type { HttpServer } from './server.ts';

export interface Metrics {
  readonly registry: Registry;
  /** A value that is read when the page is; one that cannot be read is missing there, and the others are not. */
  gauge(name: string, help: string, read: () => Promise<number>): void;
  gaugeBy(
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Promise<readonly LabelledValue[]>,
  ): void;
  /** As `gaugeBy`, for sums that only grow. */
  counterBy(
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Promise<readonly LabelledValue[]>,
  ): void;
  /** Counts that are kept elsewhere, by upper bounds in seconds. */
  histogramBy(
    name: string,
    help: string,
    bounds: readonly number[],
    read: () => Promise<readonly KeptHistogram[]>,
  ): void;
}

export interface LabelledValue {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const durationBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];

export const createMetrics = (): Metrics => {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    gauge: (name, help, read) => {
      new Gauge({
        name,
        help,
        registers: [registry],
        async collect() {
          this.set(await read().catch(() => Number.NaN));
        },
      });
    },
    gaugeBy: (name, help, labels, read) => {
      new Gauge({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        async collect() {
          this.reset();
          for (const one of await read().catch(() => [])) this.set({ ...one.labels }, one.value);
        },
      });
    },
    counterBy: (name, help, labels, read) => {
      new Counter({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        async collect() {
          const values = await read().catch(() => []);
          // At once, so that two readers of the page do not both add to what the other has.
          this.reset();
          for (const one of values) this.inc({ ...one.labels }, one.value);
        },
      });
    },
    histogramBy: (name, help, bounds, read) => {
      registry.registerMetric(keptHistogram(name, help, bounds, () => read().catch(() => [])));
    },
  };
};

/** `/metrics` and the duration of every request by route, never by URL: ids would make a series each. */
export const exposeMetrics = (server: HttpServer, { registry }: Metrics): void => {
  const durations = new Histogram({
    name: 'rendermill_http_request_seconds',
    help: 'Seconds from the request to the end of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: durationBuckets,
    registers: [registry],
  });
  server.addHook('onResponse', async (request, reply) => {
    const labels = {
      method: request.method,
      route: request.routeOptions.url ?? 'none',
      status: String(reply.statusCode),
    };
    durations.observe(labels, reply.elapsedTime / 1000);
  });
  server.get('/metrics', { schema: { hide: true } as object }, async (_request, reply) => {
    reply.header('content-type', registry.contentType);
    return registry.metrics();
  });
};
