import { sql } from 'kysely';
import type { Reader } from '../../platform/db/client.ts';

export interface LogLag {
  /** That the reader has not met; counted up to 100,000. */
  readonly events: number;
  /** How long the oldest of these waits; 0 where there is none. */
  readonly seconds: number;
}

const countedAtMost = 100_000;

/** How far the reader of that name is behind the end of the log. */
export const readLogLag = async (db: Reader, reader: string, now: Date): Promise<LogLag> => {
  const { rows } = await sql<LogLag>`
    SELECT count(*) AS events,
      coalesce(greatest(0, extract(epoch FROM ${now}::timestamptz - min(received_at))), 0)::float8 AS seconds
    FROM (
      SELECT received_at FROM domain_event
      WHERE (xid, position) > ((SELECT xid FROM event_cursor WHERE name = ${reader}),
        (SELECT position FROM event_cursor WHERE name = ${reader}))
      LIMIT ${countedAtMost}) AS unread`.execute(db);
  return rows[0] ?? { events: 0, seconds: 0 };
};
