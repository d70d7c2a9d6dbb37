/** Repairs: dead deliveries are tried again, and what was received in a time is sent once more. */
import { sql } from 'kysely';
import { matchesSink } from '../../core/delivery/matches-sink.ts';
import { RendermillError } from '../../core/errors.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { countReopenedDeliveries } from '../events/count-deliveries.ts';
import { addDeliveries } from '../events/mark-projected.ts';
import { type LogCursor, startOfLog } from '../events/read-events.ts';
import { countReceived, type PlacedEvent, readReceived } from '../events/read-page.ts';
import { countByPosition, routeEvents } from './route-events.ts';
import { type EventSink, getSink } from './sinks.ts';

export interface RedriveFilter {
  readonly sinkId?: string | undefined;
  /** Whose events. */
  readonly organizationId?: string | undefined;
  /** Whose sinks: an organization repairs its own endpoints only. */
  readonly ownerId?: string | undefined;
  readonly eventId?: string | undefined;
  /** Given up then or later. */
  readonly endedFrom?: Date | undefined;
}

/** A transaction changes at most so many deliveries. */
const chunk = 1_000;

interface DeadDelivery {
  readonly sinkId: string;
  readonly organizationId: string;
  readonly eventId: string;
  readonly shard: number;
  readonly seq: number;
}

/** The next ones by (sink, seq). Their sinks are held, so that none is removed before what is made pending again is skipped with it. */
const findDead = async (
  tx: Tx,
  filter: RedriveFilter,
  after: Pick<DeadDelivery, 'sinkId' | 'seq'>,
  limit: number,
): Promise<readonly DeadDelivery[]> => {
  const only = (column: string, value: string | undefined) =>
    value === undefined ? sql`` : sql`AND ${sql.ref(column)} = ${value}`;
  const { rows } = await sql<DeadDelivery>`
    SELECT d.sink_id AS "sinkId", d.organization_id AS "organizationId", d.event_id AS "eventId", d.shard, d.seq
    FROM event_delivery d JOIN event_sink k ON k.id = d.sink_id AND k.status <> 'removed'
    WHERE d.state = 'dead' AND (d.sink_id, d.seq) > (${after.sinkId}, ${after.seq}::bigint)
      ${only('d.sink_id', filter.sinkId)} ${only('d.organization_id', filter.organizationId)}
      ${only('k.organization_id', filter.ownerId)} ${only('d.event_id', filter.eventId)}
      ${filter.endedFrom === undefined ? sql`` : sql`AND d.ended_at >= ${filter.endedFrom}::timestamptz`}
    ORDER BY d.sink_id, d.seq LIMIT ${limit} FOR SHARE OF k`.execute(tx);
  return rows;
};

/** Shards first, as whoever settles does: else two could wait for each other. */
const holdShards = async (tx: Tx, dead: readonly DeadDelivery[], now: Date): Promise<void> => {
  await sql`
    WITH wanted AS (
      SELECT DISTINCT "sinkId" AS sink_id, shard FROM jsonb_to_recordset(${JSON.stringify(dead)}::jsonb)
        AS row ("sinkId" text, shard smallint)
    ), locked AS (
      SELECT s.sink_id, s.shard FROM delivery_shard s JOIN wanted USING (sink_id, shard) ORDER BY 1, 2 FOR UPDATE OF s
    )
    UPDATE delivery_shard s SET due_at = least(s.due_at, ${now}::timestamptz)
    FROM locked WHERE s.sink_id = locked.sink_id AND s.shard = locked.shard`.execute(tx);
};

/** Each takes its old place in its lane: not before what waits ahead of it, and not behind what has waited for its turn after it. */
const makePending = async (tx: Tx, dead: readonly DeadDelivery[], now: Date): Promise<number> => {
  const { rows } = await sql<Parameters<typeof countReopenedDeliveries>[1][number]>`
    WITH given AS MATERIALIZED (
      SELECT * FROM jsonb_to_recordset(${JSON.stringify(dead)}::jsonb) AS row (
        "sinkId" text, "organizationId" text, "eventId" uuid)
    )
    UPDATE event_delivery d SET state = 'pending', attempts = 0, failure = NULL, reason = NULL, ended_at = NULL,
      next_at = greatest(
        (SELECT ahead.next_at FROM event_delivery ahead
          WHERE ahead.sink_id = d.sink_id AND ahead.lane = d.lane AND ahead.state = 'pending' AND ahead.seq < d.seq
          ORDER BY ahead.seq DESC LIMIT 1),
        least(${now}::timestamptz, (SELECT behind.next_at FROM event_delivery behind
          WHERE behind.sink_id = d.sink_id AND behind.lane = d.lane AND behind.state = 'pending' AND behind.seq > d.seq
          ORDER BY behind.seq LIMIT 1)))
    FROM given WHERE d.sink_id = "sinkId" AND d.organization_id = "organizationId" AND d.event_id = "eventId"
      AND d.state = 'dead'
    RETURNING d.organization_id AS "organizationId", d.event_id AS "eventId", d.received_at::text AS "receivedAt",
      d.retention_class AS "retentionClass"`.execute(tx);
  await countReopenedDeliveries(tx, rows);
  return rows.length;
};

/**
 * Dead deliveries become pending with all their attempts before them, a part at a time, those of removed sinks excepted. Returns how
 * many; where that is the limit, there may be more.
 */
export const retryDead = async (
  db: Database,
  filter: RedriveFilter,
  now: Date,
  limit: number = Number.POSITIVE_INFINITY,
): Promise<number> => {
  // Onwards only: what dies again meanwhile is not tried without end.
  let after: Pick<DeadDelivery, 'sinkId' | 'seq'> = { sinkId: '', seq: 0 };
  let retried = 0;
  for (;;) {
    const room = Math.min(chunk, limit - retried);
    const dead = await db.transaction().execute(async (tx) => {
      const found = await findDead(tx, filter, after, room);
      if (found.length === 0) return found;
      await holdShards(tx, found, now);
      retried += await makePending(tx, found, now);
      await notify(tx, 'rendermill_delivery');
      return found;
    });
    const last = dead.at(-1);
    if (!last || dead.length < room || retried >= limit) return retried;
    after = last;
  }
};

export interface ReplayRange {
  readonly sinkId: string;
  /** When it was received. */
  readonly from: Date;
  readonly until: Date;
  readonly organizationId?: string | undefined;
}

const pageSize = 1_000;

const assertEnabled = (sink: EventSink): void => {
  if (sink.status === 'enabled') return;
  const remedy = sink.status === 'removed' ? 'nothing is sent there any more' : 'enable it first';
  throw new RendermillError('invalid_request', {
    message: `The sink "${sink.id}" is ${sink.status}: ${remedy}.`,
  });
};

/** How many events a replay would send. */
export const countReplay = async (db: Reader, range: ReplayRange): Promise<number> => {
  const sink = await getSink(db, range.sinkId);
  assertEnabled(sink);
  const counts = await countReceived(db, range);
  return counts.filter((one) => matchesSink(sink, one)).reduce((sum, one) => sum + one.events, 0);
};

/**
 * Sends what was received in that time to the sink again, the same ids with it, page by page: what is on its way stays as it is, so
 * that one that was broken off can be asked for again. Returns how many deliveries it made.
 */
export const replay = async (db: Database, range: ReplayRange, now: Date): Promise<number> => {
  let after: LogCursor = startOfLog;
  let made = 0;
  for (;;) {
    const page: readonly PlacedEvent[] = await db.transaction().execute(async (tx) => {
      // Read before anything is locked: only what locks or writes holds up the log, and this may search long.
      const events = await readReceived(tx, range, after, pageSize);
      const sink = await holdSink(tx, range.sinkId);
      const again = await routeEvents(tx, events, [sink], now, { again: true });
      await addDeliveries(tx, events, countByPosition(again));
      made += again.length;
      return events;
    });
    const last = page.at(-1);
    if (!last || page.length < pageSize) {
      await forgetReplayed(db, range);
      return made;
    }
    after = { xid: last.xid, position: last.position };
  }
};

/** What it missed while it was disabled has come after all, where the replay spans that. */
const forgetReplayed = async (
  db: Database,
  { sinkId, from, until, organizationId }: ReplayRange,
): Promise<void> => {
  await db
    .updateTable('event_sink')
    .set({ missed_from: null, missed_until: null })
    .where('id', '=', sinkId)
    .where('missed_from', '>=', from)
    .where('missed_until', '<=', until)
    .$if(organizationId !== undefined, (query) => query.where('organization_id', '=', organizationId ?? null))
    .execute();
};

/** As it is until the end of the transaction: whoever removes it then also skips what was made for it here. */
const holdSink = async (tx: Tx, id: string): Promise<EventSink> => {
  await tx.selectFrom('event_sink').select('id').where('id', '=', id).forShare().execute();
  const sink = await getSink(tx, id);
  assertEnabled(sink);
  return sink;
};
