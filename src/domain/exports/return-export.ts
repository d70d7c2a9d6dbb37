import { sql } from 'kysely';
import { storableText } from '../../core/storable-text.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { Fence } from './export.ts';
import type { FailureReason } from './fail-export.ts';
import { lockHeldExport } from './held-export.ts';

/** An attempt failed and the queue will try again: the export waits, still planned, and tells why the last attempt failed. */
export const awaitRetry = async (tx: Tx, fence: Fence, reason: FailureReason, now: Date): Promise<void> => {
  await lockHeldExport(tx, fence);
  await tx
    .updateTable('export')
    .set({
      status: 'queued',
      failed_attempts: sql<number>`failed_attempts + 1`,
      // Counted as a failure above, and therefore not as a start that came to nothing.
      hand_backs: sql<number>`hand_backs + 1`,
      error_code: reason.code,
      error_text: storableText(reason.text),
      worker_id: null,
      progress: null,
      updated_at: now,
    })
    .where('id', '=', fence.exportId)
    .execute();
  await notify(tx, 'rendermill_export', fence.exportId);
};

/** The worker stops before the render could end: back to the head of the line, to be planned anew. Costs no attempt. */
export const handBack = async (tx: Tx, fence: Fence, now: Date): Promise<void> => {
  await lockHeldExport(tx, fence);
  await tx
    .updateTable('export')
    .set({
      status: 'queued',
      fed_at: null,
      hand_backs: sql<number>`hand_backs + 1`,
      worker_id: null,
      progress: null,
      updated_at: now,
    })
    .where('id', '=', fence.exportId)
    .execute();
  await notify(tx, 'rendermill_export', fence.exportId);
  await notify(tx, 'rendermill_feed');
};
