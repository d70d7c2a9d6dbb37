import { type Selectable, sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import { isUuid } from '../../core/ids.ts';
import type { Reader } from '../../platform/db/client.ts';
import type { BatchRunTable, BatchTable } from '../../platform/db/schema-batches.ts';

export type Batch = Selectable<BatchTable>;
export type BatchRun = Selectable<BatchRunTable>;

/** One run of one batch. */
export interface RunKey {
  readonly batchId: string;
  readonly run: number;
}

export interface BatchWithRun {
  readonly batch: Batch;
  /** Its last one. */
  readonly run: BatchRun;
}

/**
 * By its id, else by the tenant's own name for it: then the newest of that name. What is still being staged, and what another
 * organization has, is as if it did not exist: `not_found`.
 */
export const getBatch = async (
  db: Reader,
  organizationId: string,
  idOrName: string,
): Promise<BatchWithRun> => {
  let query = db
    .selectFrom('batch')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('run', '>', 0);
  query = isUuid(idOrName)
    ? query.where((row) => row.or([row('id', '=', idOrName), row('campaign_id', '=', idOrName)]))
    : query.where('campaign_id', '=', idOrName);
  const batch = await query
    .orderBy(sql`id::text = ${idOrName.toLowerCase()}`, 'desc')
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!batch) throw new RendermillError('not_found', { message: `There is no campaign "${idOrName}".` });
  return { batch, run: await getRun(db, { batchId: batch.id, run: batch.run }) };
};

export const getRun = (db: Reader, { batchId, run }: RunKey): Promise<BatchRun> =>
  db
    .selectFrom('batch_run')
    .selectAll()
    .where('batch_id', '=', batchId)
    .where('run', '=', run)
    .executeTakeFirstOrThrow();

export const listRuns = (db: Reader, batchId: string): Promise<BatchRun[]> =>
  db.selectFrom('batch_run').selectAll().where('batch_id', '=', batchId).orderBy('run').execute();

/** The row that counts; whoever ends cells takes it after the cells' own rows and before usage, credits and project. */
export const lockRun = (tx: Reader, { batchId, run }: RunKey): Promise<BatchRun> =>
  tx
    .selectFrom('batch_run')
    .selectAll()
    .where('batch_id', '=', batchId)
    .where('run', '=', run)
    .forUpdate()
    .executeTakeFirstOrThrow();
