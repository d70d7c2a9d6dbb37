/** A database with events, dispatchers on it, and sinks that do what a test tells them. */
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { expect, vi } from 'vitest';
import type { Verdict } from '../../../src/core/delivery/outcomes.ts';
import type { SinkEvent } from '../../../src/core/delivery/sink-event.ts';
import { createSink, type NewSink } from '../../../src/domain/deliveries/sinks.ts';
import { appendEvents } from '../../../src/domain/events/append-events.ts';
import { createDispatcher, type Dispatcher } from '../../../src/features/delivery/dispatcher.ts';
import { projectPage } from '../../../src/features/delivery/project-log.ts';
import type { Sink } from '../../../src/features/delivery/sinks/sink.ts';
import type { Clock } from '../../../src/platform/clock/clock.ts';
import type { Database } from '../../../src/platform/db/client.ts';
import { openListener } from '../../../src/platform/db/listener.ts';
import { silentLog } from '../../support/factories.ts';

export interface Written {
  readonly id?: string;
  readonly name?: string;
  readonly entity?: string;
  readonly userId?: string;
  readonly distinctId?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Returns their ids; all in one transaction, at the time of the clock. */
export const writeEvents = async (
  db: Database,
  organizationId: string,
  events: readonly Written[],
  occurredAt: Date,
): Promise<string[]> => {
  const rows = events.map((event) => ({
    id: event.id ?? randomUUID(),
    event_name: event.name ?? 'something_happened',
    occurred_at: occurredAt,
    organization_id: organizationId,
    user_id: event.userId ?? null,
    distinct_id: event.distinctId ?? null,
    session_id: null,
    entity_type: event.entity === undefined ? null : 'thing',
    entity_id: event.entity ?? null,
    correlation_id: null,
    source: 'server' as const,
    schema_version: 1,
    properties: event.properties ?? {},
    context: {},
    retention_class: 'business' as const,
    is_known: false,
  }));
  await db.transaction().execute((tx) => appendEvents(tx, rows));
  return rows.map((row) => row.id);
};

/**
 * The projector as it runs in the dispatcher, until everything in the log is read: a transaction that goes on in another database of the
 * same server holds it up.
 */
export const projectAll = (db: Database, clock: Clock): Promise<void> =>
  vi.waitFor(
    async () => {
      while ((await projectPage(db, clock)) > 0);
      const left = await db
        .selectFrom('domain_event')
        .select('event_name')
        .where('derived', 'is', null)
        .execute();
      expect(left).toEqual([]);
    },
    { timeout: 20_000, interval: 20 },
  );

export interface ScriptedSink extends Sink {
  /** What it was given, call by call. */
  readonly calls: SinkEvent[][];
  readonly closed: () => number;
}

/** The whole port, in memory: answers as `say` does, delivered where it says nothing. */
export const scriptedSink = (
  options: {
    batchSize?: number;
    concurrency?: number;
    say?: (event: SinkEvent, call: number) => Verdict | undefined | Promise<Verdict | undefined>;
  } = {},
): ScriptedSink => {
  const calls: SinkEvent[][] = [];
  let closed = 0;
  return {
    calls,
    closed: () => closed,
    batchSize: options.batchSize ?? 1,
    concurrency: options.concurrency ?? 8,
    deliver: async (events) => {
      const call = calls.push([...events]) - 1;
      return Promise.all(
        events.map(async (event) => (await options.say?.(event, call)) ?? { type: 'delivered' as const }),
      );
    },
    close: async () => {
      closed += 1;
    },
  };
};

export const addSink = (db: Database, sink: Partial<NewSink> & { id: string }, now: Date) =>
  db
    .transaction()
    .execute((tx) =>
      createSink(
        tx,
        { kind: 'console', organizationId: null, shards: 4, ...sink },
        new Date(now.getTime() - 1_000),
      ),
    );

export const dispatcherOf = async (
  database: { db: Database; url: string },
  sinks: Readonly<Record<string, Sink>>,
  clock: Clock,
  disableAfterMs: number | null = null,
): Promise<Dispatcher & { close(): Promise<void> }> => {
  const listener = await openListener(database.url, silentLog);
  const dispatcher = createDispatcher({
    db: database.db,
    listener,
    clock,
    log: silentLog,
    leaseMs: 30_000,
    disableAfterMs,
    openSink: async (id) => sinks[id] ?? null,
    chance: () => 0,
  });
  return {
    ...dispatcher,
    close: async () => {
      await dispatcher.stop();
      await listener.close();
    },
  };
};

export interface DeliveryRow {
  readonly event_id: string;
  readonly state: string;
  readonly attempts: number;
  readonly reason: string | null;
  readonly next_at: Date;
}

export const deliveriesTo = async (db: Database, sinkId: string): Promise<DeliveryRow[]> => {
  const { rows } = await sql<DeliveryRow>`
    SELECT event_id, state, attempts, reason, next_at FROM event_delivery WHERE sink_id = ${sinkId} ORDER BY seq`.execute(
    db,
  );
  return rows;
};
