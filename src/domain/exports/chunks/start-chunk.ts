import type { Tx } from '../../../platform/db/client.ts';
import { endCanceled } from '../cancel-export.ts';
import { failExport } from '../fail-export.ts';
import { maxFruitlessStarts } from '../start-export.ts';
import { type ChunkFence, type HeldChunk, lockChunk } from './chunk.ts';

export type StartedChunk =
  | ({ readonly type: 'started'; readonly fence: ChunkFence } & HeldChunk)
  /** The job is of an older planning, or chunk or export have ended: there is nothing to do. */
  | { readonly type: 'stale' };

/** The newest start holds the chunk; whoever held it before can write nothing more. */
export const startChunk = async (
  tx: Tx,
  job: { chunkId: string; epoch: number; workerId: string },
  now: Date,
): Promise<StartedChunk> => {
  const held = await lockChunk(tx, job.chunkId);
  if (held?.chunk.epoch !== job.epoch) return { type: 'stale' };
  const { export: row } = held;
  if (row.cancel_requested_at !== null) {
    await endCanceled(tx, [row], 'worker', now);
    return { type: 'stale' };
  }
  if (held.chunk.attempt - held.chunk.hand_backs >= maxFruitlessStarts) {
    const fence = { exportId: row.id, epoch: row.epoch, attempt: row.attempt };
    await failExport(tx, fence, abandoned(held.chunk.number), now);
    return { type: 'stale' };
  }
  const chunk = await tx
    .updateTable('render_chunk')
    .set((one) => ({
      status: 'started' as const,
      attempt: one('attempt', '+', 1),
      worker_id: job.workerId,
      rendered_frames: 0,
      // A job that was handed back and then met after all is on its way again.
      fed_at: one.fn.coalesce('fed_at', one.val(now)),
      started_at: now,
    }))
    .where('id', '=', held.chunk.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  return {
    type: 'started',
    export: row,
    chunk,
    fence: { exportId: row.id, chunkId: chunk.id, epoch: chunk.epoch, attempt: chunk.attempt },
  };
};

const abandoned = (number: number) =>
  ({
    code: 'render_abandoned',
    text: `Chunk ${number + 1} was started ${maxFruitlessStarts} times and never came to an end: its worker was lost each time.`,
  }) as const;
