/** The line of waiting exports, and which of them go into the queue next; the choice itself is made by planFeed. */
import { sql } from 'kysely';
import { groupJobId, renderJobId } from '../../core/exports.ts';
import { newId } from '../../core/ids.ts';
import { maxGroup, planFeed, type WaitingExport } from '../../core/plan-feed.ts';
import type { Database, Tx } from '../../platform/db/client.ts';

export interface FedExport {
  readonly id: string;
  readonly epoch: number;
  /** The job that it shares with others; null: a job of its own. */
  readonly groupId: string | null;
}

export const jobIdOf = ({ id, epoch, groupId }: FedExport): string =>
  groupId === null ? renderJobId(id, epoch) : groupJobId(groupId);

/** One feeder plans at a time; a second one that comes along has nothing to do. */
const takeFeederLock = async (tx: Tx): Promise<boolean> => {
  const { rows } = await sql<{ taken: boolean }>`
    SELECT pg_try_advisory_xact_lock(hashtext('rendermill:feeder')) AS taken`.execute(tx);
  return rows[0]?.taken ?? false;
};

const jobsInFlight = async (tx: Tx): Promise<ReadonlyMap<string, number>> => {
  const { rows } = await sql<{ organizationId: string; jobs: number }>`
    SELECT organization_id AS "organizationId", count(DISTINCT coalesce(group_id, id))::int AS jobs FROM export
    WHERE status IN ('queued', 'started') AND fed_at IS NOT NULL GROUP BY 1`.execute(tx);
  return new Map(rows.map(({ organizationId, jobs }) => [organizationId, jobs]));
};

/** The heads of every organization's line, each in its order: by priority, then by age. */
const headsOfLines = async (tx: Tx, perLine: number): Promise<readonly WaitingExport[]> => {
  const { rows } = await sql<WaitingExport>`
    WITH RECURSIVE line AS ( -- each organization that has a line, found by hopping over the index, not by reading the lines
      (SELECT organization_id FROM export WHERE status = 'queued' AND fed_at IS NULL ORDER BY organization_id LIMIT 1)
      UNION ALL
      SELECT (SELECT next.organization_id FROM export AS next
        WHERE next.status = 'queued' AND next.fed_at IS NULL AND next.organization_id > line.organization_id
        ORDER BY next.organization_id LIMIT 1)
      FROM line WHERE line.organization_id IS NOT NULL
    )
    SELECT head.id, line.organization_id AS "organizationId", head.created_at AS "createdAt", head.group_key AS "groupKey",
      head.attempt - head.hand_backs + 2 * head.failed_attempts AS setbacks
    FROM line CROSS JOIN LATERAL (
      SELECT * FROM export
      WHERE organization_id = line.organization_id AND status = 'queued' AND fed_at IS NULL
      ORDER BY priority, created_at, line_order, id LIMIT ${perLine}
    ) AS head
    WHERE line.organization_id IS NOT NULL
    ORDER BY line.organization_id, head.priority, head.created_at, head.line_order, head.id`.execute(tx);
  return rows;
};

/**
 * Plans until `inFlight` jobs are on their way (in the queue or at a worker): the epoch of each export grows, which makes the new
 * job's id and refuses whatever an older job of the export still does. `slots` is what all workers can render at once. Null when
 * another feeder is at work.
 */
export const planNext = (
  db: Database,
  given: { inFlight: number; slots: number },
  now: Date,
): Promise<readonly FedExport[] | null> =>
  db.transaction().execute(async (tx) => {
    if (!(await takeFeederLock(tx))) return null;
    const inFlight = await jobsInFlight(tx);
    const busy = [...inFlight.values()].reduce((sum, jobs) => sum + jobs, 0);
    const room = Math.max(0, given.inFlight - busy);
    if (room === 0) return [];
    // More than there is room for: how large a group may be depends on how much is left after it.
    const waiting = await headsOfLines(tx, (room + given.slots) * maxGroup);
    const jobs = planFeed({ waiting, inFlight, room, slots: given.slots });
    const chosen = jobs.flatMap(({ exportIds, isGroup }) => {
      const groupId = isGroup ? newId(now) : null;
      return exportIds.map((id) => ({ id, group_id: groupId }));
    });
    if (chosen.length === 0) return [];
    const { rows } = await sql<FedExport>`
      UPDATE export SET epoch = epoch + 1, group_id = chosen.group_id, fed_at = ${now}, updated_at = ${now}
      FROM jsonb_to_recordset(${JSON.stringify(chosen)}::jsonb) AS chosen (id uuid, group_id uuid)
      WHERE export.id = chosen.id AND status = 'queued' AND fed_at IS NULL
      RETURNING export.id, epoch, export.group_id AS "groupId"`.execute(tx);
    // In the order of the plan, whatever the order in which the rows were written.
    const byId = new Map(rows.map((row) => [row.id, row]));
    return chosen.flatMap(({ id }) => byId.get(id) ?? []);
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
    .select(['id', 'epoch', 'group_id as groupId'])
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
    UPDATE export SET status = 'queued', fed_at = NULL, group_id = NULL, updated_at = ${now}
    WHERE id IN (SELECT id FROM export WHERE (id, epoch) IN (${sql.join(pairs)}) AND status IN ('queued', 'started')
      ORDER BY id FOR UPDATE)`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
};
