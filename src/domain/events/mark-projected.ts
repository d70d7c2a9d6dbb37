import { sql } from 'kysely';
import { prepared, type Tx } from '../../platform/db/client.ts';
import type { PlacedEvent } from './read-page.ts';

/**
 * Writes what was derived of each event of a page, and how many deliveries were made of it: one that nobody wants is processed at
 * once.
 */
export const markProjected = async (
  tx: Tx,
  events: readonly PlacedEvent[],
  derived: ReadonlyMap<number, Readonly<Record<string, unknown>>>,
  deliveries: ReadonlyMap<number, number>,
): Promise<void> => {
  if (events.length === 0) return;
  const rows = events.map(({ xid, position }) => ({
    xid,
    position,
    derived: derived.get(position) ?? {},
    deliveries: deliveries.get(position) ?? 0,
  }));
  const times = events.map((event) => event.receivedAt.getTime());
  await sql`${prepared}
    UPDATE domain_event e SET derived = row.derived, open_deliveries = row.deliveries,
      is_processed = row.deliveries = 0, processed_at = CASE WHEN row.deliveries = 0 THEN now() END
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS row (
      xid xid8, position bigint, derived jsonb, deliveries smallint)
    WHERE e.xid = row.xid AND e.position = row.position
      AND e.received_at BETWEEN ${new Date(Math.min(...times))}::timestamptz
        AND ${new Date(Math.max(...times) + 1)}::timestamptz`.execute(tx);
};

/** A replay has made more deliveries of these. Locks in the order of their ids, as whoever counts the ends does. */
export const addDeliveries = async (
  tx: Tx,
  events: readonly PlacedEvent[],
  deliveries: ReadonlyMap<number, number>,
): Promise<void> => {
  const rows = events.flatMap(({ xid, position }) => {
    const made = deliveries.get(position);
    return made === undefined ? [] : [{ xid, position, made }];
  });
  if (rows.length === 0) return;
  await sql`
    WITH event AS (
      SELECT e.xid, e.position, row.made
      FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS row (xid xid8, position bigint, made smallint)
      JOIN domain_event e ON e.xid = row.xid AND e.position = row.position
      ORDER BY e.id FOR UPDATE OF e
    )
    UPDATE domain_event e SET open_deliveries = e.open_deliveries + event.made, is_processed = false, processed_at = NULL
    FROM event WHERE e.xid = event.xid AND e.position = event.position`.execute(tx);
};
