/** Who renders at this moment: a heartbeat of each worker, from which the feeder knows how short it may keep the queue. */
import type { Database, Reader } from '../../platform/db/client.ts';

export interface WorkerIdentity {
  readonly id: string;
  readonly host: string;
  readonly pid: number;
}

/** A worker that has not been heard of for this long counts as gone. */
export const workerGoneAfterMs = 15_000;
const forgetAfterMs = 24 * 60 * 60 * 1000;

export const recordHeartbeat = async (
  db: Database,
  worker: WorkerIdentity,
  concurrency: number,
  now: Date,
): Promise<void> => {
  await db
    .insertInto('worker')
    .values({ ...worker, concurrency, started_at: now, seen_at: now })
    .onConflict((conflict) => conflict.column('id').doUpdateSet({ concurrency, seen_at: now }))
    .execute();
};

export const removeWorker = async (db: Database, id: string, now: Date): Promise<void> => {
  await db
    .deleteFrom('worker')
    .where((row) =>
      row.or([row('id', '=', id), row('seen_at', '<', new Date(now.getTime() - forgetAfterMs))]),
    )
    .execute();
};

/** Renders that all live workers together can run at once. */
export const liveCapacity = async (db: Reader, now: Date): Promise<number> => {
  const row = await db
    .selectFrom('worker')
    .select((select) =>
      select.fn.coalesce(select.fn.sum<number>('concurrency'), select.lit(0)).as('capacity'),
    )
    .where('seen_at', '>', new Date(now.getTime() - workerGoneAfterMs))
    .executeTakeFirst();
  return Number(row?.capacity ?? 0);
};
