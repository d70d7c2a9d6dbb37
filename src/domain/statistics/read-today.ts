import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Reader } from '../../platform/db/client.ts';

/** YYYY-MM-DD in that time zone, by Postgres' own rules: those that give an export its day. */
export const readToday = async (db: Reader, timeZone: string, now: Date): Promise<string> => {
  const { rows } = await sql<{ today: string }>`
    SELECT (${now}::timestamptz AT TIME ZONE ${timeZone})::date AS today`.execute(db);
  if (rows[0] === undefined) throw new RendermillError('internal', { message: 'The day could not be read.' });
  return rows[0].today;
};
