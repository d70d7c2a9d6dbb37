/** The projector's way through the log: page by page, each of them once. */
import { sql } from 'kysely';
import type { RetentionClass } from '../../core/events/define-event.ts';
import { prepared, type Reader, type Tx } from '../../platform/db/client.ts';
import { eventColumnNames, type LogCursor, type LoggedEvent, startOfLog } from './read-events.ts';

/** Whose cursor it is. */
export const projectorName = 'projector';

/** With where it lies: (xid, position) names a row of the log. */
export interface PlacedEvent extends LoggedEvent {
  readonly xid: string;
  /** `receivedAt` to the microsecond, as Postgres writes it. */
  readonly receivedAtText: string;
  readonly retentionClass: RetentionClass;
  /** Bytes of its properties and its context as they are stored. */
  readonly bytes: number;
}

const placedColumns =
  sql.raw(`${eventColumnNames}, xid::text AS xid, received_at::text AS "receivedAtText", retention_class AS "retentionClass",
  pg_column_size(properties) + pg_column_size(context) AS bytes`);

/**
 * The next page of the log for the reader of that name, whose cursor is held until the end of the transaction: one at a time goes on.
 * null where another one has it. Moves the cursor, so that the page is read with what the transaction makes of it, or not at all.
 */
export const takePage = async (tx: Tx, reader: string, limit: number): Promise<PlacedEvent[] | null> => {
  const held = await sql<LogCursor>`
    SELECT xid::text AS xid, position FROM event_cursor WHERE name = ${reader} FOR UPDATE SKIP LOCKED`.execute(
    tx,
  );
  const [after] = held.rows;
  if (!after) return null;
  const { rows } = await sql<PlacedEvent>`${prepared}
    SELECT ${placedColumns} FROM domain_event
    WHERE (xid, position) > (${after.xid}::xid8, ${after.position}::bigint) AND xid < pg_snapshot_xmin(pg_current_snapshot())
    ORDER BY domain_event.xid, domain_event.position LIMIT ${limit}`.execute(tx);
  const last = rows.at(-1);
  if (last) {
    await tx
      .updateTable('event_cursor')
      .set({ xid: last.xid, position: last.position })
      .where('name', '=', reader)
      .execute();
  }
  return rows;
};

/** Until the end of the transaction nothing more is projected, and what was is there to be read. */
export const holdProjector = async (tx: Tx): Promise<void> => {
  await sql`SELECT FROM event_cursor WHERE name = ${projectorName} FOR UPDATE`.execute(tx);
};

/** Where the projector stands: whatever it has met lies at or before this place. */
export const projectedUpTo = async (db: Reader): Promise<LogCursor> => {
  const { rows } = await sql<LogCursor>`
    SELECT xid::text AS xid, position FROM event_cursor WHERE name = ${projectorName}`.execute(db);
  return rows[0] ?? startOfLog;
};

export interface ReceivedRange {
  readonly from: Date;
  readonly until: Date;
  readonly organizationId?: string | undefined;
}

/** What the projector has not met yet is left out: it goes to the sinks anyway. */
const isReceived = ({ from, until, organizationId }: ReceivedRange) => sql`
  received_at >= ${from}::timestamptz AND received_at < ${until}::timestamptz AND derived IS NOT NULL
  ${organizationId === undefined ? sql`` : sql`AND organization_id = ${organizationId}`}`;

/** Every transaction that has begun so far is older than this. */
export const logEnd = async (db: Reader): Promise<bigint> => {
  const { rows } = await sql<{ xid: string }>`
    SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid`.execute(db);
  return BigInt(rows[0]?.xid ?? 0);
};

/** Whether everything up to there has committed or never will: a reader of the log gets so far. */
export const isReadable = async (db: Reader, end: bigint): Promise<boolean> => {
  const { rows } = await sql<{ xid: string }>`
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text AS xid`.execute(db);
  return BigInt(rows[0]?.xid ?? 0) >= end;
};

/** What was received in that time, in the order of the log, from the given place on. */
export const readReceived = async (
  tx: Tx,
  range: ReceivedRange,
  after: LogCursor,
  limit: number,
): Promise<PlacedEvent[]> => {
  const { rows } = await sql<PlacedEvent>`
    SELECT ${placedColumns} FROM domain_event
    WHERE ${isReceived(range)} AND (xid, position) > (${after.xid}::xid8, ${after.position}::bigint)
    ORDER BY domain_event.xid, domain_event.position LIMIT ${limit}`.execute(tx);
  return rows;
};

export interface ReceivedCount {
  readonly organizationId: string;
  readonly event: string;
  readonly events: number;
}

/** How many events of each name. */
export const countReceived = async (db: Reader, range: ReceivedRange): Promise<readonly ReceivedCount[]> => {
  const { rows } = await sql<ReceivedCount>`
    SELECT organization_id AS "organizationId", event_name AS event, count(*) AS events FROM domain_event
    WHERE ${isReceived(range)} GROUP BY 1, 2`.execute(db);
  return rows;
};
