/**
 * The outbox against job queues that do the same deliveries, on one Postgres in one run: events per second from `emit` to
 * acknowledged, the cost of `emit` inside a business transaction, the time from commit to arrival, and what claiming costs when ten
 * million delivered events lie in the tables. The last line is the result as JSON.
 *
 * A round writes its events in transactions of ten by four connections and ends when the consumer, a process of its own, has
 * acknowledged the last; the contenders take turns, and each figure is the median of the rounds. CPU is what all its processes have
 * used: unlike the rate it does not fall when something else has the machine, too.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../src/platform/db/embedded/embedded-postgres.ts';
import { createLogger } from '../../src/platform/log/log.ts';
import { measureClaim } from './outbox/claim.ts';
import { measureEmit, measureLatency } from './outbox/latency.ts';
import { startReceiver } from './outbox/processes.ts';
import { type Contender, type RoundFigures, runRound } from './outbox/round.ts';

const events = Number(process.env.EVENTS ?? 10_000);
const rounds = Number(process.env.ROUNDS ?? 3);
const millions = Number(process.env.MILLIONS ?? 10);

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const contenders: readonly Contender[] = [
  { who: 'rendermill', sink: 'posthog' },
  { who: 'graphile', sink: 'posthog' },
  { who: 'pgboss', sink: 'posthog' },
  { who: 'graphile-bare', sink: 'posthog' },
  { who: 'pgboss-batches', sink: 'posthog' },
  { who: 'rendermill', sink: 'webhook' },
  { who: 'graphile', sink: 'webhook' },
  { who: 'pgboss', sink: 'webhook' },
  { who: 'graphile-bare', sink: 'webhook' },
];

const directory = await mkdtemp(join(tmpdir(), 'rendermill-bench-outbox-'));
const server = await startEmbeddedPostgres({ directory, log: createLogger({ level: 'warn' }) });
const receiver = await startReceiver();

const figures = new Map<string, RoundFigures[]>();
const nameOf = ({ who, sink }: Contender): string => `${sink} · ${who}`;
for (let round = 1; round <= rounds; round += 1) {
  for (const contender of contenders) {
    const measured = await runRound(server, receiver.url, contender, events);
    figures.set(nameOf(contender), [...(figures.get(nameOf(contender)) ?? []), measured]);
    console.log(
      `round ${round}  ${nameOf(contender).padEnd(26)} ${Math.round(measured.perSecond)} events/s, ${Math.round(measured.cpuMs)} ms of CPU for 1,000`,
    );
  }
}
const figureOf = (contender: Contender, name: keyof RoundFigures): number =>
  median((figures.get(nameOf(contender)) ?? []).map((one) => one[name]));
const rateOf = (contender: Contender): number => figureOf(contender, 'perSecond');
const cpuOf = (contender: Contender): number => figureOf(contender, 'cpuMs');
const ours = (sink: Contender['sink']): number => rateOf({ who: 'rendermill', sink });
const best = (sink: Contender['sink']): number =>
  Math.max(rateOf({ who: 'graphile', sink }), rateOf({ who: 'pgboss', sink }));

const emit = await measureEmit(server.url);
console.log(`emit inside a business transaction: median ${emit.median} ms, 99th percentile ${emit.p99} ms`);
const latency = await measureLatency(server.url, receiver);
console.log(`commit to arrival at 50 events/s: median ${latency.p50} ms, 99th percentile ${latency.p99} ms`);
const claim = await measureClaim(server.url, millions * 1_000_000);
console.log(
  `claiming and reading 100 due deliveries: ${claim.emptyMs} ms, with ${millions} million delivered events ${claim.fullMs} ms`,
);

receiver.close();
await server.stop();
await rm(directory, { recursive: true, force: true });

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
console.log(
  JSON.stringify({
    posthogPerSecond: Math.round(ours('posthog')),
    posthogVsBest: rounded(ours('posthog') / best('posthog'), 2),
    posthogVsBare: rounded(ours('posthog') / rateOf({ who: 'graphile-bare', sink: 'posthog' }), 2),
    posthogVsPgBossBatches: rounded(ours('posthog') / rateOf({ who: 'pgboss-batches', sink: 'posthog' }), 2),
    webhookPerSecond: Math.round(ours('webhook')),
    webhookVsBest: rounded(ours('webhook') / best('webhook'), 2),
    webhookVsBare: rounded(ours('webhook') / rateOf({ who: 'graphile-bare', sink: 'webhook' }), 2),
    posthogCpuMsPer1000: Math.round(cpuOf({ who: 'rendermill', sink: 'posthog' })),
    posthogCpuMsPer1000OfGraphile: Math.round(cpuOf({ who: 'graphile', sink: 'posthog' })),
    webhookCpuMsPer1000: Math.round(cpuOf({ who: 'rendermill', sink: 'webhook' })),
    webhookCpuMsPer1000OfGraphile: Math.round(cpuOf({ who: 'graphile', sink: 'webhook' })),
    emitMedianMs: emit.median,
    deliverP50Ms: latency.p50,
    deliverP99Ms: latency.p99,
    claimAt10MVsEmpty: rounded(claim.fullMs / claim.emptyMs, 2),
  }),
);
