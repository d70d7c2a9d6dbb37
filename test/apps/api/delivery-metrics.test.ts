import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { mostSinks, sinkSeries } from '../../../src/apps/api/sink-series.ts';
import type { SinkFigures } from '../../../src/domain/deliveries/read-deliveries.ts';
import { createMetrics } from '../../../src/platform/http/metrics.ts';
import { addSink, dispatcherOf, scriptedSink, writeEvents } from '../../features/delivery/delivery-scene.ts';
import { startTestApi, type TestApi } from '../../support/api.ts';
import { times } from '../../support/factories.ts';

const now = new Date('2026-03-10T12:00:00Z');

const figures = (given: Partial<SinkFigures> = {}): SinkFigures => ({
  sinkId: 's',
  kind: 'webhook',
  organizationId: 'o',
  status: 'enabled',
  statusReason: null,
  pending: 1,
  oldestSeconds: 10,
  delivered: 2,
  skipped: 0,
  failed: 3,
  dead: 1,
  deadNow: 0,
  latencyMs: 500,
  latencyBuckets: [1, 1],
  consecutiveFailures: 0,
  failingSince: null,
  openUntil: null,
  lastError: null,
  warnedHours: 0,
  disablesAt: null,
  missedFrom: null,
  missedUntil: null,
  ...given,
});

describe('the page of metrics', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startTestApi();
    api.clock.set(new Date());
  });
  afterAll(() => api.close());

  const page = async () => (await api.call('/metrics')).text();

  test('tells of each sink what waits, what ended how, how long it took, and of the log what nobody has read', async () => {
    const { db, clock } = api;
    await addSink(db, { id: 'well', kind: 'console' }, clock.now());
    await addSink(db, { id: 'away', kind: 'posthog', shards: 1 }, clock.now());
    const dispatcher = await dispatcherOf(
      { db, url: api.databaseUrl },
      {
        well: scriptedSink({
          say: ({ properties: { n } }) =>
            n === 0
              ? { type: 'refused', error: 'no', final: true }
              : n === 1
                ? { type: 'skipped', reason: 'old' }
                : undefined,
        }),
        away: scriptedSink({
          batchSize: 10,
          say: () => ({ type: 'unavailable', error: '503', retryAfterMs: 600_000 }),
        }),
      },
      clock,
    );
    await writeEvents(
      db,
      'o',
      times(4, (n) => ({ properties: { n } })),
      clock.now(),
    );
    expect(await page()).toContain('rendermill_event_log_lag 4');
    await dispatcher.drain();
    await dispatcher.close();
    clock.advance(60_000);
    const text = await page();
    for (const line of [
      'rendermill_event_log_lag 0',
      'rendermill_deliveries_pending{sink="well",kind="console"} 0',
      'rendermill_deliveries_pending{sink="away",kind="posthog"} 4',
      'rendermill_deliveries_oldest_seconds{sink="well",kind="console"} 0',
      'rendermill_deliveries_oldest_seconds{sink="away",kind="posthog"} 60',
      'rendermill_deliveries_total{sink="well",kind="console",outcome="delivered"} 2',
      'rendermill_deliveries_total{sink="well",kind="console",outcome="skipped"} 1',
      'rendermill_deliveries_total{sink="well",kind="console",outcome="dead"} 1',
      'rendermill_deliveries_total{sink="away",kind="posthog",outcome="failed"} 4',
      'rendermill_sink_open{sink="well",kind="console"} 0',
      'rendermill_sink_open{sink="away",kind="posthog"} 1',
      '# TYPE rendermill_deliveries_total counter',
      '# TYPE rendermill_delivery_latency_seconds histogram',
      'rendermill_delivery_latency_seconds_bucket{sink="well",kind="console",le="86400"} 2',
      'rendermill_delivery_latency_seconds_bucket{sink="well",kind="console",le="+Inf"} 2',
      'rendermill_delivery_latency_seconds_count{sink="well",kind="console"} 2',
      'rendermill_delivery_latency_seconds_count{sink="away",kind="posthog"} 0',
    ])
      expect(text).toContain(`${line}\n`);
  });

  test('tells how long the oldest open transaction has held up the log', async () => {
    const held = async (): Promise<number> =>
      Number(/^rendermill_event_log_held_seconds (\S+)$/m.exec(await page())?.[1]);
    await api.db.transaction().execute(async (tx) => {
      await sql`SELECT pg_current_xact_id()`.execute(tx);
      const first = await held();
      expect(first).toBeGreaterThan(0);
      await expect.poll(held).toBeGreaterThan(first);
    });
  });

  test('counts nothing twice when two read it at once', async () => {
    const pages = await Promise.all(times(5, page));
    for (const text of pages)
      expect(text).toContain(
        'rendermill_deliveries_total{sink="well",kind="console",outcome="delivered"} 2\n',
      );
  });
});

describe('a kept histogram', () => {
  test('has each bucket with all that lies below its bound, the sum and the count', async () => {
    const metrics = createMetrics();
    metrics.histogramBy('latency_seconds', 'How long', [0.1, 1, 10], async () => [
      { labels: { sink: 'a' }, counts: [2, 3, 0, 4], sum: 99.5 },
      { labels: { sink: 'b' }, counts: [], sum: 0 },
    ]);
    const text = await metrics.registry.getSingleMetricAsString('latency_seconds');
    expect(text.split('\n')).toEqual([
      '# HELP latency_seconds How long',
      '# TYPE latency_seconds histogram',
      'latency_seconds_bucket{sink="a",le="0.1"} 2',
      'latency_seconds_bucket{sink="a",le="1"} 5',
      'latency_seconds_bucket{sink="a",le="10"} 5',
      'latency_seconds_bucket{sink="a",le="+Inf"} 9',
      'latency_seconds_sum{sink="a"} 99.5',
      'latency_seconds_count{sink="a"} 9',
      ...['0.1', '1', '10', '+Inf'].map((le) => `latency_seconds_bucket{sink="b",le="${le}"} 0`),
      'latency_seconds_sum{sink="b"} 0',
      'latency_seconds_count{sink="b"} 0',
    ]);
  });

  test('that cannot be read is empty, and the rest of the page is there', async () => {
    const metrics = createMetrics();
    metrics.histogramBy('broken', 'Nothing', [1], () => Promise.reject(new Error('away')));
    metrics.counterBy('also_broken', 'Nothing', [], () => Promise.reject(new Error('away')));
    metrics.gauge('well', 'Something', async () => 1);
    expect(await metrics.registry.metrics()).toContain('well 1\n');
  });
});

describe('the series of sinks', () => {
  test('are one for each while they are few', () => {
    const sinks = times(mostSinks, (n) => figures({ sinkId: `s-${n}` }));
    expect(sinkSeries(sinks, now).map((one) => one.labels.sink)).toEqual(sinks.map((one) => one.sinkId));
  });

  test("of organizations are one for each kind where they are many; the operator's stay by themselves", () => {
    const sinks = [
      figures({ sinkId: 'webhook', organizationId: null, pending: 7 }),
      figures({ sinkId: 'a', openUntil: new Date(now.getTime() + 1), latencyBuckets: [0, 0, 5] }),
      ...times(mostSinks, (n) => figures({ sinkId: `s-${n}`, oldestSeconds: n })),
    ];
    const [own, others, ...rest] = sinkSeries(sinks, now);
    expect(rest).toEqual([]);
    expect(own).toMatchObject({ labels: { sink: 'webhook', kind: 'webhook' }, pending: 7, open: 0 });
    expect(others).toMatchObject({
      labels: { sink: 'organizations', kind: 'webhook' },
      pending: mostSinks + 1,
      oldestSeconds: mostSinks - 1,
      delivered: 2 * (mostSinks + 1),
      latencyBuckets: [mostSinks, mostSinks, 5],
      open: 1,
    });
  });

  test.each([
    ['after a few failures', { consecutiveFailures: 4 }, 0],
    ['half open', { consecutiveFailures: 5, openUntil: new Date(now.getTime() - 1) }, 1],
    [
      'open because it asked for patience',
      { consecutiveFailures: 1, openUntil: new Date(now.getTime() + 1) },
      1,
    ],
  ])('say of one that is %s whether it is open', (_what, given, open) => {
    expect(sinkSeries([figures(given)], now)[0]?.open).toBe(open);
  });
});
