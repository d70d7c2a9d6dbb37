/** Destinations of events. Those of the environment have a name as their id, those of an organization a UUID. */
import { type Selectable, sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { EventSinkTable } from '../../platform/db/schema-events.ts';
import { projectorName } from '../events/read-page.ts';
import { deliveryDays } from './drop-old-deliveries.ts';
import { wakeShards } from './wake-waiting.ts';

export type EventSink = Selectable<EventSinkTable>;

export interface NewSink {
  readonly id: string;
  readonly kind: string;
  /** null: events of every organization. */
  readonly organizationId: string | null;
  readonly description?: string;
  /** null: every event that the catalog maps to this kind. */
  readonly eventNames?: readonly string[] | null;
  readonly config?: Readonly<Record<string, unknown>>;
  /** Shares of its lanes that are worked on side by side. */
  readonly shards: number;
}

/** It gets what happens from now on; earlier events only by replay. */
export const createSink = async (tx: Tx, sink: NewSink, now: Date): Promise<EventSink> => {
  const row = await tx
    .insertInto('event_sink')
    .values({
      id: sink.id,
      kind: sink.kind,
      organization_id: sink.organizationId,
      description: sink.description ?? '',
      event_names: sink.eventNames ? [...sink.eventNames] : null,
      config: JSON.stringify(sink.config ?? {}),
      shards: sink.shards,
      created_at: now,
      updated_at: now,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  await sql`INSERT INTO delivery_shard (sink_id, shard)
    SELECT ${sink.id}, shard FROM generate_series(0, ${sink.shards}::int - 1) AS shard`.execute(tx);
  return row;
};

export interface EnvironmentSink {
  readonly id: string;
  readonly kind: string;
  readonly shards: number;
  readonly config?: Readonly<Record<string, unknown>>;
}

const notConfigured = 'No dispatcher has had its settings for a day.';
/** Dispatchers may have different settings, and `--once` runs now and then: one that does not know a sink says nothing against it. */
const forgottenAfterMs = 24 * 3_600_000;

/**
 * What the environment of this process names is there, and enabled where it was only forgotten. What no dispatcher has named for a
 * day is disabled: its deliveries wait. One that comes back goes on with those, and misses what happened while it was away.
 */
export const keepEnvironmentSinks = async (
  tx: Tx,
  sinks: readonly EnvironmentSink[],
  now: Date,
): Promise<void> => {
  await sql`SELECT pg_advisory_xact_lock(hashtext('rendermill:environment-sinks'))`.execute(tx);
  const kept = await tx
    .selectFrom('event_sink')
    .select(['id', 'status', 'status_reason', 'configured_at'])
    .where('organization_id', 'is', null)
    .execute();
  for (const sink of sinks) {
    const row = kept.find(({ id }) => id === sink.id);
    if (!row) await createSink(tx, { ...sink, organizationId: null }, now);
    else if (row.status_reason === notConfigured) await enableSink(tx, sink.id, now);
    await tx.updateTable('event_sink').set({ configured_at: now }).where('id', '=', sink.id).execute();
  }
  const before = now.getTime() - forgottenAfterMs;
  const gone = kept.filter(
    (row) => !sinks.some(({ id }) => id === row.id) && (row.configured_at?.getTime() ?? 0) < before,
  );
  for (const { id } of gone) await disableSink(tx, id, notConfigured, now);
};

/**
 * What the projector meets next is the first that a sink which is disabled now does not get. By the database's time, as the log; a
 * minute earlier, since what was begun before may be committed after: replaying it sends nothing twice that was routed.
 */
const missedFromNow = sql<Date>`
  date_trunc('milliseconds', coalesce((SELECT e.received_at FROM domain_event e
    WHERE (e.xid, e.position) > ((SELECT xid FROM event_cursor WHERE name = ${projectorName}),
      (SELECT position FROM event_cursor WHERE name = ${projectorName}))
    ORDER BY e.xid, e.position LIMIT 1), now())) - interval '1 minute'`;

/** Nothing is sent to it any more, and its deliveries wait; what happens meanwhile it misses, from `missed_from` on. */
export const disableSink = async (tx: Tx, id: string, reason: string, now: Date): Promise<void> => {
  await tx
    .updateTable('event_sink')
    .set({
      status: 'disabled',
      status_reason: reason,
      disabled_at: now,
      // What it missed before and nobody has replayed is missed still, while it is known what it has had since.
      missed_from: sql<Date>`CASE WHEN missed_from > now() - make_interval(days => ${deliveryDays})
        THEN missed_from ELSE ${missedFromNow} END`,
      missed_until: null,
      updated_at: now,
    })
    .where('id', '=', id)
    .where('status', '=', 'enabled')
    .execute();
};

/** Nothing is held against it. */
export const wellAgain = {
  failing_since: null,
  last_failed_at: null,
  warned_hours: 0,
  disables_at: null,
} as const;

/** Some seconds later, since what is projected before this commits meets it disabled. */
const missedUntilNow = sql<Date>`date_trunc('milliseconds', clock_timestamp()) + interval '5 seconds'`;

/** With a closed breaker; what is due goes out. `wakeAll` before it makes due what waits. What it missed is for replay. */
export const enableSink = async (tx: Tx, id: string, now: Date): Promise<void> => {
  await tx.selectFrom('event_sink').select('id').where('id', '=', id).forUpdate().execute();
  await wakeShards(tx, id, now);
  await tx
    .updateTable('event_sink')
    .set({
      ...wellAgain,
      status: 'enabled',
      status_reason: null,
      disabled_at: null,
      consecutive_failures: 0,
      open_until: null,
      missed_until: sql<Date | null>`CASE WHEN status = 'disabled' THEN ${missedUntilNow} ELSE missed_until END`,
      updated_at: now,
    })
    .where('id', '=', id)
    .where('status', '<>', 'removed')
    .execute();
};

export const activeSinks = (db: Reader): Promise<EventSink[]> =>
  db.selectFrom('event_sink').selectAll().where('status', '=', 'enabled').execute();

export const listSinks = (db: Reader): Promise<EventSink[]> =>
  db
    .selectFrom('event_sink')
    .selectAll()
    .where('status', '<>', 'removed')
    .orderBy('organization_id', (order) => order.asc().nullsFirst())
    .orderBy('created_at')
    .execute();

export const getSink = async (db: Reader, id: string): Promise<EventSink> => {
  const row = await db.selectFrom('event_sink').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) {
    const known = (await listSinks(db)).map((sink) => sink.id).join(', ') || 'none';
    throw new RendermillError('not_found', { message: `There is no sink "${id}"; there are: ${known}.` });
  }
  return row;
};
