/** One of those who deliver, in a process of its own: `rendermill`, `graphile` or `pgboss`, to `posthog` or `webhook`. */
import { Logger, run } from 'graphile-worker';
import PgBoss from 'pg-boss';
import { Agent, request } from 'undici';
import { createDispatcher } from '../../../src/features/delivery/dispatcher.ts';
import {
  keepConfiguredSinks,
  openSink,
  type SinkSettings,
} from '../../../src/features/delivery/open-sinks.ts';
import { systemClock } from '../../../src/platform/clock/clock.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import { openListener } from '../../../src/platform/db/listener.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { createSecretBox } from '../../../src/platform/secrets/secret-box.ts';
import { jobRequest, type Payload, type SinkName } from './payload.ts';

const [who = '', sink = '', databaseUrl = '', receiverUrl = ''] = process.argv.slice(2);
/** As many requests at once as the dispatcher makes to an operator's endpoint. */
const concurrency = 16;
const log = createLogger({ level: 'warn' });
const agent = new Agent({ connections: concurrency, pipelining: 1 });

const post = async (payloads: readonly Payload[]): Promise<void> => {
  const { path, headers, body } = jobRequest(sink as SinkName, payloads);
  const answer = await request(receiverUrl + path, { method: 'POST', headers, body, dispatcher: agent });
  await answer.body.dump();
  if (answer.statusCode !== 200) throw new Error(`the receiver said ${answer.statusCode}`);
};

const settings = (): SinkSettings =>
  sink === 'posthog'
    ? {
        allowPrivateWebhooks: true,
        posthog: { host: receiverUrl, projectApiKey: 'phc_bench', distinctIds: 'namespaced' },
      }
    : { allowPrivateWebhooks: true, webhook: { url: receiverUrl } };

const consumers: Readonly<Record<string, () => Promise<unknown>>> = {
  rendermill: async () => {
    const { db } = openDatabase({ url: databaseUrl, log, maxConnections: 20 });
    const listener = await openListener(databaseUrl, log);
    const deps = { db, clock: systemClock, settings: settings(), secretBox: createSecretBox() };
    await keepConfiguredSinks(deps);
    const open = (id: string) => openSink(deps, id);
    createDispatcher({
      db,
      listener,
      clock: systemClock,
      log,
      leaseMs: 30_000,
      disableAfterMs: null,
      openSink: open,
    }).start();
  },
  // With its local queue and batched completion, which its documentation recommends for throughput.
  graphile: () =>
    run({
      connectionString: databaseUrl,
      concurrency,
      noHandleSignals: true,
      taskList: { deliver: (payload: unknown) => post([payload as Payload]) },
      preset: {
        worker: {
          concurrentJobs: concurrency,
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
          localQueue: { size: 500 },
        },
      },
      // A line per job would be most of its work.
      logger: new Logger(() => () => undefined),
    } as never),
  // Fetches many at once and completes them together; several workers, since it polls.
  pgboss: async () => {
    const boss = new PgBoss({ connectionString: databaseUrl, max: 20, supervise: false });
    await boss.start();
    await boss.createQueue('deliver');
    for (let worker = 0; worker < 4; worker += 1) {
      await boss.work<Payload>('deliver', { batchSize: 500, pollingIntervalSeconds: 0.5 }, async (jobs) => {
        const waiting = [...jobs];
        const lane = async () => {
          for (let job = waiting.shift(); job; job = waiting.shift()) await post([job.data]);
        };
        await Promise.all(Array.from({ length: concurrency / 4 }, lane));
      });
    }
  },
  // The same with PostHog's batches: a fetch of 500 jobs is one request.
  'pgboss-batches': async () => {
    const boss = new PgBoss({ connectionString: databaseUrl, max: 20, supervise: false });
    await boss.start();
    await boss.createQueue('deliver');
    for (let worker = 0; worker < 4; worker += 1) {
      await boss.work<Payload>('deliver', { batchSize: 500, pollingIntervalSeconds: 0.5 }, (jobs) =>
        post(jobs.map(({ data }) => data)),
      );
    }
  },
};

await consumers[who]?.();
process.send?.('ready');
process.on('disconnect', () => process.exit());
