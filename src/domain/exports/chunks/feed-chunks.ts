/** Chunks on their way into the queue, and back into the line where it has lost them. */
import { sql } from 'kysely';
import type { PlannedJob } from '../../../core/plan-feed.ts';
import type { Database, Tx } from '../../../platform/db/client.ts';
import type { FedWork } from '../fed-work.ts';

export const planChunkJobs = async (
  tx: Tx,
  jobs: readonly PlannedJob[],
  now: Date,
): Promise<readonly FedWork[]> => {
  const ids = jobs.filter(({ kind }) => kind === 'chunk').flatMap((job) => job.ids);
  if (ids.length === 0) return [];
  const { rows } = await sql<FedWork>`
    UPDATE render_chunk SET epoch = epoch + 1, fed_at = ${now}
    WHERE id IN (SELECT id FROM render_chunk WHERE id = ANY(${sql.val(ids)}::uuid[]) AND status <> 'done' AND fed_at IS NULL
      ORDER BY id FOR UPDATE)
    RETURNING 'chunk' AS kind, id, epoch, NULL AS "groupId"`.execute(tx);
  return rows;
};

/** Planned at least `ageMs` ago and not done: each must have a job in the queue. */
export const plannedChunks = async (
  db: Database,
  given: { ageMs: number; limit: number },
  now: Date,
): Promise<readonly FedWork[]> => {
  const { rows } = await sql<FedWork>`
    SELECT 'chunk' AS kind, id, epoch, NULL AS "groupId" FROM render_chunk
    WHERE status <> 'done' AND fed_at < ${new Date(now.getTime() - given.ageMs)}
    ORDER BY fed_at LIMIT ${given.limit}`.execute(db);
  return rows;
};

/** The queue has lost these jobs: back into the line, unless someone planned or ended them meanwhile. */
export const replanChunks = async (db: Database, lost: readonly FedWork[]): Promise<number> => {
  const pairs = lost.map((one) => sql`(${one.id}::uuid, ${one.epoch}::int)`);
  if (pairs.length === 0) return 0;
  const result = await sql`
    UPDATE render_chunk SET status = 'waiting', fed_at = NULL, worker_id = NULL
    WHERE id IN (SELECT id FROM render_chunk WHERE (id, epoch) IN (${sql.join(pairs)}) AND status <> 'done'
      ORDER BY id FOR UPDATE)`.execute(db);
  return Number(result.numAffectedRows ?? 0n);
};
