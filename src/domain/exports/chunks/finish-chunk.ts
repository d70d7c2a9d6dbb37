import { sql } from 'kysely';
import type { Tx } from '../../../platform/db/client.ts';
import { notify } from '../../../platform/db/notify.ts';
import type { StoredChunkResult } from '../../../platform/db/schema-rendering.ts';
import { type ChunkFence, lockHeldChunk } from './chunk.ts';

/**
 * A chunk is in storage. The last one puts its export back into the line, in the same transaction: whoever takes it joins. Throws
 * `render_lost` where the fence no longer holds the chunk; then nothing is changed.
 */
export const finishChunk = async (
  tx: Tx,
  fence: ChunkFence,
  done: { result: StoredChunkResult; renderTimeMs: number },
  now: Date,
): Promise<void> => {
  const { export: row, chunk } = await lockHeldChunk(tx, fence);
  await tx
    .updateTable('render_chunk')
    .set({
      status: 'done',
      result: JSON.stringify(done.result),
      render_ms: done.renderTimeMs,
      rendered_frames: chunk.last_frame - chunk.first_frame + 1,
      worker_id: null,
      done_at: now,
    })
    .where('id', '=', chunk.id)
    .execute();
  await tx
    .updateTable('export')
    .set({
      chunks_done: sql<number>`chunks_done + 1`,
      fed_at: sql<Date | null>`CASE WHEN chunks_done + 1 = chunks THEN NULL ELSE fed_at END`,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .execute();
  // A worker is free again, and perhaps a video is due to be joined.
  await notify(tx, 'rendermill_feed');
};
