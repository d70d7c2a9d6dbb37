import { sql } from 'kysely';
import { RendermillError } from '../../../core/errors.ts';
import { newId } from '../../../core/ids.ts';
import { framesOfChunk } from '../../../core/plan-chunks.ts';
import type { Tx } from '../../../platform/db/client.ts';
import { notify } from '../../../platform/db/notify.ts';
import type { StoredProgress } from '../../../platform/db/schema.ts';
import type { StoredChunkPlan } from '../../../platform/db/schema-rendering.ts';
import type { Fence } from '../export.ts';
import { lockHeldExport } from '../held-export.ts';

const nothingYet = ({ frameRange: [first, last] }: StoredChunkPlan): StoredProgress => ({
  stage: 'rendering',
  percent: 0,
  renderedFrames: 0,
  totalFrames: last - first + 1,
  timeLeftMs: null,
});

/**
 * A video that one worker holds becomes chunks that any worker takes; it is in nobody's hands until the last of them is done. Throws
 * `render_lost` where the fence no longer holds it.
 */
export const cutExport = async (
  tx: Tx,
  fence: Fence,
  { count, plan }: { count: number; plan: StoredChunkPlan },
  now: Date,
): Promise<void> => {
  const row = await lockHeldExport(tx, fence);
  // Back in the line meanwhile, since the queue had lost its job: then it is planned anew, as it is.
  if (row.status !== 'started') throw new RendermillError('render_lost');
  await tx
    .insertInto('render_chunk')
    .values(
      Array.from({ length: count }, (_, number) => {
        const [first, last] = framesOfChunk(
          { count, framesPerChunk: plan.framesPerChunk },
          plan.frameRange,
          number,
        );
        return {
          id: newId(now),
          export_id: row.id,
          organization_id: row.organization_id,
          number,
          first_frame: first,
          last_frame: last,
          created_at: now,
        };
      }),
    )
    .execute();
  await tx
    .updateTable('export')
    .set({
      chunks: count,
      chunks_done: 0,
      chunk_plan: JSON.stringify(plan),
      progress: JSON.stringify(nothingYet(plan)),
      // Whoever held the whole of it, or is handed its job again, holds nothing any more.
      epoch: sql<number>`epoch + 1`,
      worker_id: null,
      // A start that came to something.
      hand_backs: sql<number>`hand_backs + 1`,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .execute();
  await notify(tx, 'rendermill_feed');
};
