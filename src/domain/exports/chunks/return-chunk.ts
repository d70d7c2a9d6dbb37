import { sql } from 'kysely';
import type { Tx } from '../../../platform/db/client.ts';
import { notify } from '../../../platform/db/notify.ts';
import type { Fence } from '../export.ts';
import { type FailureReason, reasonText } from '../fail-export.ts';
import { lockHeldExport } from '../held-export.ts';
import { type ChunkFence, lockHeldChunk } from './chunk.ts';

/** An attempt failed and the queue will try again: this chunk alone. The export tells why. */
export const awaitChunkRetry = async (
  tx: Tx,
  fence: ChunkFence,
  reason: FailureReason,
  now: Date,
): Promise<void> => {
  const { export: row, chunk } = await lockHeldChunk(tx, fence);
  await tx
    .updateTable('render_chunk')
    .set({
      status: 'waiting',
      failed_attempts: sql<number>`failed_attempts + 1`,
      // Counted as a failure above, and therefore not as a start that came to nothing.
      hand_backs: sql<number>`hand_backs + 1`,
      rendered_frames: 0,
      worker_id: null,
    })
    .where('id', '=', chunk.id)
    .execute();
  await tx
    .updateTable('export')
    .set({ error_code: reason.code, error_text: reasonText(reason.text), updated_at: now })
    .where('id', '=', row.id)
    .execute();
};

/** The worker stops before the chunk could end: back into the line, to be planned anew. Costs no attempt. */
export const handBackChunk = async (tx: Tx, fence: ChunkFence): Promise<void> => {
  const { chunk } = await lockHeldChunk(tx, fence);
  await tx
    .updateTable('render_chunk')
    .set({
      status: 'waiting',
      fed_at: null,
      hand_backs: sql<number>`hand_backs + 1`,
      rendered_frames: 0,
      worker_id: null,
    })
    .where('id', '=', chunk.id)
    .execute();
  await notify(tx, 'rendermill_feed');
};

/** Chunks whose files are gone are rendered again, they alone; the join waits for them. The fence is of the export that is being joined. */
export const renderAgain = async (
  tx: Tx,
  fence: Fence,
  numbers: readonly number[],
  now: Date,
): Promise<void> => {
  const row = await lockHeldExport(tx, fence);
  const lost = await tx
    .updateTable('render_chunk')
    .set({
      status: 'waiting',
      fed_at: null,
      result: null,
      rendered_frames: 0,
      // Else one whose file is lost again and again would be rendered for ever.
      failed_attempts: sql<number>`failed_attempts + 1`,
    })
    .where('export_id', '=', row.id)
    .where('number', 'in', [...numbers])
    .where('status', '=', 'done')
    .returning('id')
    .execute();
  await tx
    .updateTable('export')
    .set({
      chunks_done: sql<number>`chunks_done - ${lost.length}`,
      // In nobody's hands, as after the cut.
      epoch: sql<number>`epoch + 1`,
      worker_id: null,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .execute();
  await notify(tx, 'rendermill_feed');
};
