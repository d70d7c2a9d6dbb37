import { sql } from 'kysely';
import type { Reader } from '../../platform/db/client.ts';

/** What waits for a sink, and what was given up. */
export interface Backlog {
  readonly pending: number;
  readonly dead: number;
}

const countedAtMost = 100_000;

/** Each counted up to 100,000: a backlog of millions must not slow a page. */
export const backlogOf = async (db: Reader, id: string): Promise<Backlog> => {
  const count = (state: 'pending' | 'dead') => sql`
    (SELECT count(*) FROM (
      SELECT 1 FROM event_delivery WHERE sink_id = ${id} AND state = ${sql.lit(state)} LIMIT ${countedAtMost}) AS counted)`;
  const { rows } = await sql<Backlog>`
    SELECT ${count('pending')} AS pending, ${count('dead')} AS dead`.execute(db);
  return rows[0] ?? { pending: 0, dead: 0 };
};
