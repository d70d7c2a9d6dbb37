import { sql } from 'kysely';
import type { NewEvent } from '../../core/events/new-event.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify, notifyAll } from '../../platform/db/notify.ts';
import { emitAll } from '../events/emit.ts';
import { endCanceled } from './cancel-export.ts';
import { countStartOf } from './cells.ts';
import { isBeingCut } from './chunks/chunk.ts';
import { type Export, exportEnvelope, type Fence, jobFacts, jobTimes } from './export.ts';
import { failExport } from './fail-export.ts';

/** Starts that came to nothing (a killed worker, a poisonous render) before an export is given up; hand-backs do not count. */
export const maxFruitlessStarts = 6;

export interface Started {
  readonly export: Export;
  readonly fence: Fence;
}

export type StartedExport =
  | ({ readonly type: 'started' } & Started)
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
  if (!row || isBeingCut(row)) return { type: 'stale' };
  if (row.cancel_requested_at !== null) {
    await endCanceled(tx, [row], 'worker', now);
    return { type: 'stale' };
  }
  if (isWornOut(row)) {
    await failExport(tx, { exportId: row.id, epoch: row.epoch, attempt: row.attempt }, abandoned, now);
    return { type: 'stale' };
  }
  const [started] = await beginAll(tx, [row], job.workerId, now);
  return started ? { type: 'started', ...started } : { type: 'stale' };
};

/**
 * Claims what is left of a group. A group that was begun before and came to no end goes back into the line instead, to be planned
 * anew in smaller ones: one poisonous cell must not take its neighbours along again and again.
 */
export const startGroup = async (
  tx: Tx,
  job: { groupId: string; workerId: string },
  now: Date,
): Promise<Started[]> => {
  const rows = await tx
    .selectFrom('export')
    .selectAll()
    .where('group_id', '=', job.groupId)
    .where('status', 'in', ['queued', 'started'])
    .orderBy('id')
    .forUpdate()
    .execute();
  const unwanted = rows.filter((row) => row.cancel_requested_at !== null);
  const wanted = rows.filter((row) => row.cancel_requested_at === null);
  await endCanceled(tx, unwanted, 'worker', now);
  if (wanted.some((row) => row.status === 'started')) {
    await dissolve(tx, wanted, now);
    return [];
  }
  const begun = await beginAll(tx, wanted, job.workerId, now);
  // Locked by id, rendered in the order of the plan.
  return begun.toSorted((a, b) => a.export.line_order - b.export.line_order);
};

const isWornOut = (row: Export): boolean => row.attempt - row.hand_backs >= maxFruitlessStarts;

const abandoned = {
  code: 'render_abandoned',
  text: `The render was started ${maxFruitlessStarts} times and never came to an end: its worker was lost each time.`,
} as const;

const idsOf = (rows: readonly Export[]): string[] => rows.map((row) => row.id);

const dissolve = async (tx: Tx, rows: readonly Export[], now: Date): Promise<void> => {
  await tx
    .updateTable('export')
    .set({ status: 'queued', fed_at: null, group_id: null, worker_id: null, updated_at: now })
    .where('id', 'in', idsOf(rows))
    .execute();
  await notify(tx, 'rendermill_feed');
};

const beginAll = async (
  tx: Tx,
  rows: readonly Export[],
  workerId: string | null,
  now: Date,
): Promise<Started[]> => {
  if (rows.length === 0) return [];
  const started = await tx
    .updateTable('export')
    .set((row) => ({
      status: 'started' as const,
      attempt: row('attempt', '+', 1),
      worker_id: workerId,
      // A job that was handed back and then met after all is on its way again.
      fed_at: row.fn.coalesce('fed_at', row.val(now)),
      started_at: row.fn.coalesce('started_at', row.val(now)),
      // Joining what was cut goes on with what the chunks have begun.
      attempt_started_at: sql<Date>`CASE WHEN chunks IS NULL THEN ${now} ELSE attempt_started_at END`,
      progress: sql<null>`CASE WHEN chunks IS NULL THEN NULL ELSE progress END`,
      progress_at: null,
      updated_at: now,
    }))
    .where('id', 'in', idsOf(rows))
    .returningAll()
    .execute();
  await emitAll(
    tx,
    // A join, and another look at a Lambda that had no room, are told of already.
    started.filter((row) => row.chunks === null && row.not_before === null).map((row) => began(row, now)),
  );
  await notifyAll(tx, 'rendermill_export', idsOf(started));
  await countStartOf(tx, started, 'worker', now);
  return started.map((row) => ({
    export: row,
    fence: { exportId: row.id, epoch: row.epoch, attempt: row.attempt },
  }));
};

/** Without a worker: for exports that need no rendering. The caller holds the rows' locks. */
export const startWithoutWorker = (tx: Tx, rows: readonly Export[], now: Date): Promise<Started[]> =>
  beginAll(tx, rows, null, now);

const began = (row: Export, now: Date): NewEvent<'processing_started'> => {
  const { queue_wait_ms } = jobTimes(row, now);
  return {
    name: 'processing_started',
    ...exportEnvelope(row, 'worker', now),
    properties: {
      ...jobFacts(row, now),
      attempt: row.attempt,
      ...(queue_wait_ms === undefined ? {} : { queue_wait_ms }),
    },
  };
};
