import { type SqlBool, sql } from 'kysely';
import type { JobType, RunStatus } from '../../core/batches.ts';
import type { Reader } from '../../platform/db/client.ts';
import { decodePlace, encodePlace } from '../../platform/db/page-place.ts';
import type { Batch, BatchRun, BatchWithRun } from './batch.ts';

export interface BatchFilter {
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
  /** Of the last run. */
  readonly status?: RunStatus | undefined;
  readonly jobType?: JobType | undefined;
}

export interface BatchPage {
  readonly batches: readonly BatchWithRun[];
  /** Where to go on; null at the end. Stable: what comes in meanwhile is newer. */
  readonly nextCursor: string | null;
}

/** Newest first; what is still being staged is not there yet. */
export const listBatches = async (
  db: Reader,
  organizationId: string,
  filter: BatchFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<BatchPage> => {
  let query = db
    .selectFrom('batch')
    .innerJoin('batch_run', (join) =>
      join.onRef('batch_run.batch_id', '=', 'batch.id').onRef('batch_run.run', '=', 'batch.run'),
    )
    .select([
      sql<string>`(extract(epoch FROM batch.created_at) * 1000000)::bigint::text`.as('micros'),
      'batch.id',
    ])
    .where('batch.organization_id', '=', organizationId);
  if (filter.userId !== undefined) query = query.where('batch.user_id', '=', filter.userId);
  if (filter.projectId !== undefined) query = query.where('batch.project_id', '=', filter.projectId);
  if (filter.status !== undefined) query = query.where('batch_run.status', '=', filter.status);
  if (filter.jobType !== undefined) query = query.where('batch.job_type', '=', filter.jobType);
  if (page.cursor !== undefined) {
    const { micros, id } = decodePlace(page.cursor);
    query = query.where(
      sql<SqlBool>`(batch.created_at, batch.id) < (timestamptz 'epoch' + ${micros}::bigint * interval '1 microsecond', ${id}::uuid)`,
    );
  }
  const found = await query
    .orderBy('batch.created_at', 'desc')
    .orderBy('batch.id', 'desc')
    .limit(page.limit + 1)
    .execute();
  const shown = found.slice(0, page.limit);
  const last = shown.at(-1);
  return {
    batches: await readBatches(
      db,
      shown.map(({ id }) => id),
    ),
    nextCursor: found.length > page.limit && last ? encodePlace(last) : null,
  };
};

/** In the order of the ids. */
const readBatches = async (db: Reader, ids: readonly string[]): Promise<BatchWithRun[]> => {
  if (ids.length === 0) return [];
  const batches = await db.selectFrom('batch').selectAll().where('id', 'in', ids).execute();
  const runs = await db
    .selectFrom('batch_run')
    .innerJoin('batch', (join) =>
      join.onRef('batch.id', '=', 'batch_run.batch_id').onRef('batch.run', '=', 'batch_run.run'),
    )
    .selectAll('batch_run')
    .where('batch_run.batch_id', 'in', ids)
    .execute();
  const batchOf = new Map(batches.map((batch): [string, Batch] => [batch.id, batch]));
  const runOf = new Map(runs.map((run): [string, BatchRun] => [run.batch_id, run]));
  return ids.flatMap((id) => {
    const [batch, run] = [batchOf.get(id), runOf.get(id)];
    return batch && run ? [{ batch, run }] : [];
  });
};
