/** Who holds up the log: it is read no further than the oldest transaction that may still commit, of whatever database of the server. */
import { sql } from 'kysely';
import type { Reader } from '../../platform/db/client.ts';

export interface LogHolder {
  /** Since it began; null: this role may not see it. */
  readonly seconds: number | null;
  readonly database: string | null;
  readonly user: string | null;
  /** Of its session; null: it was prepared (two-phase commit), and has no session. */
  readonly pid: number | null;
  /** Of one that was prepared. */
  readonly gid: string | null;
  readonly application: string | null;
  /** As pg_stat_activity has it, such as `idle in transaction`; null: this role may not see it. */
  readonly state: string | null;
}

/**
 * The oldest transaction that has written or locked something, and is open; null: there is none. What only reads (a pg_dump, a long
 * report) and what keeps old rows from being vacuumed (replication slots, a standby's feedback) has no number in the log's order, and
 * holds up nothing. The ages of other roles' sessions are told to superusers and to members of pg_read_all_stats only.
 */
export const findLogHolder = async (db: Reader): Promise<LogHolder | null> => {
  const { rows } = await sql<LogHolder>`
    SELECT CASE WHEN since IS NOT NULL THEN greatest(0, extract(epoch FROM clock_timestamp() - since)) END::float8 AS seconds, database, "user", pid, gid, application, state
    FROM (
      SELECT backend_xid AS xid, xact_start AS since, datname AS database, usename AS "user", pid, NULL AS gid,
        nullif(application_name, '') AS application, state
      FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()
      UNION ALL
      SELECT transaction, prepared, database, owner, NULL, gid, NULL, 'prepared' FROM pg_prepared_xacts
    ) AS open
    ORDER BY age(xid) DESC LIMIT 1`.execute(db);
  return rows[0] ?? null;
};
