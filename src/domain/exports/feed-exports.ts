/**
 * What goes into the queue next. Fair between organizations: the one with the fewest renders in flight comes first, so that
 * 10,000 waiting renders of one do not hold up another's single one; within an organization by priority, then by age.
 */
import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';

export interface FedExport {
  readonly id: string;
  readonly epoch: number;
}

/** One feeder plans at a time; a second one that comes along has nothing to do. */
const takeFeederLock = async (tx: Tx): Promise<boolean> => {
  const { rows } = await sql<{ taken: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtext('rendermill:feeder')) AS taken`.execute(tx);
  return rows[0]?.taken ?? false;
};

/**
 * Plans exports until `inFlight` are on their way (in the queue or at a worker): the epoch grows, which makes the new job's id
 * and refuses whatever an older job of the export still does. Null when another feeder is at work.
 */
export const planNext = (db: Database, inFlight: number, now: Date): Promise<readonly FedExport[] | null> =>
  db.transaction().execute(async (tx) => {
    if (!(await takeFeederLock(tx))) return null;
    const { rows } = await sql<FedExport>`
      WITH RECURSIVE active AS (
        SELECT organization_id, count(*)::int AS n FROM export
        WHERE status IN ('queued', 'started') AND fed_at IS NOT NULL GROUP BY 1
      ), room AS (
        SELECT greatest(0, ${inFlight}::int - coalesce((SELECT sum(n) FROM active), 0))::int AS n
      ), line AS ( -- each organization that has a line, found by hopping over the index, not by reading the lines
        (SELECT organization_id FROM export WHERE status = 'queued' AND fed_at IS NULL ORDER BY organization_id LIMIT 1)
        UNION ALL
        SELECT (SELECT next.organization_id FROM export AS next
          WHERE next.status = 'queued' AND next.fed_at IS NULL AND next.organization_id > line.organization_id
          ORDER BY next.organization_id LIMIT 1)
        FROM line WHERE line.organization_id IS NOT NULL
      ), heads AS (
        SELECT head.id, head.created_at, coalesce(active.n, 0) + row_number() OVER (
          PARTITION BY line.organization_id ORDER BY head.priority, head.created_at, head.id) AS share
        FROM line
        LEFT JOIN active USING (organization_id)
        CROSS JOIN LATERAL (
          SELECT id, priority, created_at FROM export
          WHERE organization_id = line.organization_id AND status = 'queued' AND fed_at IS NULL
          ORDER BY priority, created_at, id LIMIT (SELECT n FROM room)
        ) AS head
        WHERE line.organization_id IS NOT NULL
      ), chosen AS (
        SELECT id FROM heads ORDER BY share, created_at, id LIMIT (SELECT n FROM room)
      )
      UPDATE export SET epoch = epoch + 1, fed_at = ${now}, updated_at = ${now}
      WHERE id IN (SELECT id FROM chosen) AND status = 'queued' AND fed_at IS NULL
      RETURNING id, epoch`.execute(tx);
    return rows;
  });

/** Planned at least `ageMs` ago and not at an end: each must have a job in the queue. */
export const plannedExports = (
  db: Database,
  ageMs: number,
  limit: number,
  now: Date,
): Promise<readonly FedExport[]> =>
  db
    .selectFrom('export')
    .select(['id', 'epoch'])
    .where('status', 'in', ['queued', 'started'])
    .where('fed_at', '<', new Date(now.getTime() - ageMs))
    .orderBy('fed_at')
    .limit(limit)
    .execute();

/** The queue has lost these jobs: back into the line, unless someone planned or ended them meanwhile. */
export const replan = async (db: Database, lost: readonly FedExport[], now: Date): Promise<number> => {
  const pairs = lost.map((one) => sql`(${one.id}::uuid, ${one.epoch}::int)`);
  if (pairs.length === 0) return 0;
  const result = await sql`
    UPDATE export SET status = 'queued', fed_at = NULL, updated_at = ${now}
    WHERE (id, epoch) IN (${sql.join(pairs)}) AND status IN ('queued', 'started')`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
};
