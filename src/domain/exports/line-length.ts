import { sql } from 'kysely';
import type { Reader } from '../../platform/db/client.ts';

/** For an operator: how many exports wait for the feeder, are planned, or are at a worker. */
export const countUnfinished = async (
  db: Reader,
): Promise<{ waiting: number; planned: number; started: number }> => {
  const { rows } = await sql<{ waiting: number; planned: number; started: number }>`
    SELECT
      (SELECT count(*) FROM export WHERE status = 'queued' AND fed_at IS NULL) AS waiting,
      (SELECT count(*) FROM export WHERE status = 'queued' AND fed_at IS NOT NULL) AS planned,
      (SELECT count(*) FROM export WHERE status = 'started' AND fed_at IS NOT NULL) AS started`.execute(db);
  return rows[0] ?? { waiting: 0, planned: 0, started: 0 };
};
