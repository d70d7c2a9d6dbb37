import type { Database } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { StoredProgress } from '../../platform/db/schema.ts';
import type { Fence } from './export.ts';

/** What the holder of an export must know: whether it still is that, and whether its work is still wanted. */
export type HolderState = 'held' | 'lost' | 'cancel_requested';

/** The snapshot that the API shows; callers write at most one a second. */
export const saveProgress = async (
  db: Database,
  fence: Fence,
  progress: StoredProgress,
  now: Date,
): Promise<HolderState> => {
  const row = await db
    .updateTable('export')
    .set({ progress: JSON.stringify(progress), progress_at: now })
    .where('id', '=', fence.exportId)
    .where('epoch', '=', fence.epoch)
    .where('attempt', '=', fence.attempt)
    .where('status', '=', 'started')
    .returning('cancel_requested_at')
    .executeTakeFirst();
  if (!row) return 'lost';
  if (row.cancel_requested_at !== null) return 'cancel_requested';
  await notify(db, 'rendermill_export', fence.exportId);
  return 'held';
};
