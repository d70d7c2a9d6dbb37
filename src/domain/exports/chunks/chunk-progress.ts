import { sql } from 'kysely';
import type { Database } from '../../../platform/db/client.ts';
import { notify } from '../../../platform/db/notify.ts';
import type { HolderState } from '../save-progress.ts';
import type { ChunkFence } from './chunk.ts';

/** What is left for the join. */
const shareOfChunks = 0.97;

/**
 * The frames that this chunk has, and, at most once a second, the export's progress as the sum of all its chunks: never falling,
 * though a chunk that was lost begins again.
 */
export const saveChunkProgress = async (
  db: Database,
  fence: ChunkFence,
  renderedFrames: number,
  now: Date,
): Promise<HolderState> => {
  // Two statements on purpose: together they would lock the chunk before the export, against everybody else's order.
  const held = await db
    .updateTable('render_chunk')
    .set({ rendered_frames: renderedFrames })
    .where('id', '=', fence.chunkId)
    .where('epoch', '=', fence.epoch)
    .where('attempt', '=', fence.attempt)
    .where('status', '=', 'started')
    .returning('id')
    .executeTakeFirst();
  if (!held) return 'lost';
  const { rows } = await sql<{ canceled: boolean }>`
    UPDATE export SET progress_at = ${now}, progress = jsonb_build_object(
      'stage', 'rendering',
      'percent', greatest((progress->>'percent')::numeric, round(${shareOfChunks}::numeric * 100 * done.frames / done.total)),
      'renderedFrames', greatest((progress->>'renderedFrames')::int, done.frames),
      'totalFrames', done.total,
      'timeLeftMs', CASE WHEN done.frames * 20 > done.total THEN round(
        extract(epoch FROM ${now}::timestamptz - attempt_started_at) * 1000 * (done.total - done.frames) / done.frames) END)
    FROM (
      SELECT sum(rendered_frames) AS frames, sum(last_frame - first_frame + 1) AS total FROM render_chunk
      WHERE export_id = ${fence.exportId}
    ) AS done
    WHERE id = ${fence.exportId} AND status = 'started' AND (progress_at IS NULL OR progress_at < ${now}::timestamptz - interval '1 second')
    RETURNING cancel_requested_at IS NOT NULL AS canceled`.execute(db);
  const [row] = rows;
  if (row?.canceled) return 'cancel_requested';
  if (row) await notify(db, 'rendermill_export', fence.exportId);
  return 'held';
};
