import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { RenderMode } from '../../core/exports.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify, notifyAll } from '../../platform/db/notify.ts';
import type { Fence } from './export.ts';
import { type FailureReason, reasonText } from './fail-export.ts';
import { lockHeldExport, lockHeldExports } from './held-export.ts';
import { tellOfRemoteRenders } from './remote-render.ts';
import { waitingStatus } from './waiting-status.ts';

const keptProgress = sql<null>`CASE WHEN chunks IS NULL THEN NULL ELSE progress END`;

const failedOnce = (reason: FailureReason, now: Date) => ({
  status: waitingStatus,
  failed_attempts: sql<number>`failed_attempts + 1`,
  // Counted as a failure above, and therefore not as a start that came to nothing.
  hand_backs: sql<number>`hand_backs + 1`,
  error_code: reason.code,
  error_text: reasonText(reason.text),
  worker_id: null,
  progress: keptProgress,
  not_before: null,
  updated_at: now,
});

/** An attempt failed and the queue will try again: the export waits, still planned, and tells why the last attempt failed. */
export const awaitRetry = async (tx: Tx, fence: Fence, reason: FailureReason, now: Date): Promise<void> => {
  await lockHeldExport(tx, fence);
  await tx.updateTable('export').set(failedOnce(reason, now)).where('id', '=', fence.exportId).execute();
  await notify(tx, 'rendermill_export', fence.exportId);
};

/** An attempt of one of a group failed: it leaves the group and goes back into the line, to be planned alone. */
export const retryAlone = async (tx: Tx, fence: Fence, reason: FailureReason, now: Date): Promise<void> => {
  await lockHeldExport(tx, fence);
  await tx
    .updateTable('export')
    .set({ ...failedOnce(reason, now), fed_at: null, group_id: null })
    .where('id', '=', fence.exportId)
    .execute();
  await notify(tx, 'rendermill_export', fence.exportId);
  await notify(tx, 'rendermill_feed');
};

/**
 * The worker stops before the render could end: back to the head of the line, to be planned anew. Costs no attempt. Throws
 * `render_lost` where the fence no longer holds it.
 */
export const handBack = async (tx: Tx, fence: Fence, now: Date): Promise<void> => {
  if ((await handBackAll(tx, [fence], now)) === 0) throw new RendermillError('render_lost');
};

/** As handBack, for several. Returns how many the fences still held. */
export const handBackAll = async (tx: Tx, fences: readonly Fence[], now: Date): Promise<number> => {
  const held = (await lockHeldExports(tx, fences)).map((row) => row.id);
  if (held.length === 0) return 0;
  await tx
    .updateTable('export')
    .set({
      status: waitingStatus,
      fed_at: null,
      group_id: null,
      hand_backs: sql<number>`hand_backs + 1`,
      worker_id: null,
      progress: keptProgress,
      updated_at: now,
    })
    .where('id', 'in', held)
    .execute();
  await notifyAll(tx, 'rendermill_export', held);
  await notify(tx, 'rendermill_feed');
  return held.length;
};

/**
 * The renderer has no room now: back into the line, not to be planned before `until`, or for the workers to render. Costs no
 * attempt. Throws `render_lost` where the fence no longer holds it.
 */
export const postpone = async (
  tx: Tx,
  fence: Fence,
  how: { until: Date } | { mode: RenderMode },
  now: Date,
): Promise<void> => {
  await handBack(tx, fence, now);
  const row = await tx
    .updateTable('export')
    .set({
      // A render that goes on at AWS is found again by whoever is next, or ended; one that has ended is recognised as that.
      ...('until' in how ? { not_before: how.until } : { not_before: null, render_mode: how.mode }),
      // It was neither started nor handed back: it found no room.
      attempt: sql<number>`attempt - 1`,
      hand_backs: sql<number>`hand_backs - 1`,
      updated_at: now,
    })
    .where('id', '=', fence.exportId)
    .returning('remote_render')
    .executeTakeFirstOrThrow();
  if ('mode' in how) await tellOfRemoteRenders(tx, [row]);
};
