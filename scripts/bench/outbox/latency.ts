import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { emit } from '../../../src/domain/events/emit.ts';
import { type Database, openDatabase } from '../../../src/platform/db/client.ts';
import { migrateDatabase } from '../../../src/platform/db/migrate.ts';
import { createLogger } from '../../../src/platform/log/log.ts';
import { jobEvent } from './events.ts';
import { type BenchReceiver, startConsumer } from './processes.ts';
import { freshDatabase, jobProperties } from './round.ts';

const log = createLogger({ level: 'warn' });
const emits = 2_000;
const paced = 1_000;
const perSecond = 50;

const quantile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return Number((sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN).toFixed(2));
};

const newEvent = (n: number) =>
  jobEvent({
    id: randomUUID(),
    event: '',
    userId: `user-${n % 500}`,
    timestamp: new Date().toISOString(),
    properties: jobProperties(n),
  });

const withDatabase = async <T>(
  adminUrl: string,
  work: (db: Database, url: string) => Promise<T>,
): Promise<T> => {
  const url = await freshDatabase(adminUrl, 'bench_latency');
  await migrateDatabase(url, log);
  const { db, close } = openDatabase({ url, log });
  try {
    return await work(db, url);
  } finally {
    await close();
  }
};

/** Milliseconds that a business transaction is longer for its event: the statement, as the code that emits waits for it. */
export const measureEmit = (adminUrl: string): Promise<{ median: number; p99: number }> =>
  withDatabase(adminUrl, async (db) => {
    const times: number[] = [];
    for (let n = 0; n < emits; n += 1) {
      await db.transaction().execute(async (tx) => {
        await tx.selectFrom('installation').selectAll().forUpdate().execute();
        const event = newEvent(n);
        const began = performance.now();
        await emit(tx, event);
        times.push(performance.now() - began);
      });
    }
    return { median: quantile(times, 0.5), p99: quantile(times, 0.99) };
  });

/** Milliseconds from the return of the commit to the arrival at a webhook, at a steady pace that leaves the machine idle. */
export const measureLatency = (
  adminUrl: string,
  receiver: BenchReceiver,
): Promise<{ p50: number; p99: number }> =>
  withDatabase(adminUrl, async (db, url) => {
    const consumer = await startConsumer('rendermill', 'webhook', url, receiver.url);
    await receiver.arrivals();
    const committed = new Map<string, number>();
    for (let n = 0; n < paced; n += 1) {
      const event = newEvent(n);
      await db.transaction().execute((tx) => emit(tx, event));
      committed.set(String(event.id), Date.now());
      await delay(1_000 / perSecond);
    }
    await delay(2_000);
    const arrivals = await receiver.arrivals();
    await consumer.stop();
    const latencies = [...committed].map(([id, at]) => Math.max(0, (arrivals.get(id) ?? Number.NaN) - at));
    if (latencies.some(Number.isNaN)) throw new Error('an event of the latency round did not arrive');
    return { p50: quantile(latencies, 0.5), p99: quantile(latencies, 0.99) };
  });
