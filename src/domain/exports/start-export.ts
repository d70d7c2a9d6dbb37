import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { emit } from '../events/emit.ts';
import { endCanceled } from './cancel-export.ts';
import { type Export, exportEnvelope, type Fence, jobFacts, jobTimes } from './export.ts';
import { failExport } from './fail-export.ts';

/** Starts that came to nothing (a killed worker, a poisonous render) before an export is given up; hand-backs do not count. */
export const maxFruitlessStarts = 6;

export type StartedExport =
  | { readonly type: 'started'; readonly export: Export; readonly fence: Fence }
  /** The job is of an older planning, or the export has ended: there is nothing to do. */
  | { readonly type: 'stale' };

/** The newest start holds the export; whoever held it before can write nothing more. Records `processing_started`. */
export const startExport = async (
  tx: Tx,
  job: { exportId: string; epoch: number; workerId: string },
  now: Date,
): Promise<StartedExport> => {
  const row = await tx
    .selectFrom('export')
    .selectAll()
    .where('id', '=', job.exportId)
    .where('epoch', '=', job.epoch)
    .where('status', 'in', ['queued', 'started'])
    .forUpdate()
    .executeTakeFirst();
  if (!row) return { type: 'stale' };
  if (row.cancel_requested_at !== null) {
    await endCanceled(tx, row, 'worker', now);
    return { type: 'stale' };
  }
  if (row.attempt - row.hand_backs >= maxFruitlessStarts) {
    await failExport(tx, { exportId: row.id, epoch: row.epoch, attempt: row.attempt }, abandoned, now);
    return { type: 'stale' };
  }
  return begin(tx, row, job.workerId, now);
};

const abandoned = {
  code: 'render_abandoned',
  text: `The render was started ${maxFruitlessStarts} times and never came to an end: its worker was lost each time.`,
} as const;

const begin = async (tx: Tx, row: Export, workerId: string, now: Date): Promise<StartedExport> => {
  const started = await tx
    .updateTable('export')
    .set({
      status: 'started',
      attempt: row.attempt + 1,
      worker_id: workerId,
      // A job that was handed back and then met after all is on its way again.
      fed_at: row.fed_at ?? now,
      started_at: row.started_at ?? now,
      attempt_started_at: now,
      progress: null,
      progress_at: null,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  const { queue_wait_ms } = jobTimes(started, now);
  await emit(tx, {
    name: 'processing_started',
    ...exportEnvelope(started, 'worker', now),
    properties: {
      ...jobFacts(started, now),
      attempt: started.attempt,
      ...(queue_wait_ms === undefined ? {} : { queue_wait_ms }),
    },
  });
  await notify(tx, 'rendermill_export', started.id);
  return {
    type: 'started',
    export: started,
    fence: { exportId: started.id, epoch: started.epoch, attempt: started.attempt },
  };
};
