import type { Selectable } from 'kysely';
import { RendermillError } from '../../../core/errors.ts';
import type { Reader, Tx } from '../../../platform/db/client.ts';
import type { RenderChunkTable } from '../../../platform/db/schema-rendering.ts';
import type { Export } from '../export.ts';

export type Chunk = Selectable<RenderChunkTable>;

/** A worker's claim on a chunk, as `Fence` is one on an export. */
export interface ChunkFence {
  readonly exportId: string;
  readonly chunkId: string;
  readonly epoch: number;
  readonly attempt: number;
}

export interface HeldChunk {
  readonly export: Export;
  readonly chunk: Chunk;
}

/** Cut, and not yet complete: its chunks are what is at work, not itself. */
export const isBeingCut = (row: Pick<Export, 'chunks' | 'chunks_done'>): boolean =>
  row.chunks !== null && row.chunks_done < row.chunks;

export const chunksOf = (db: Reader, exportId: string): Promise<Chunk[]> =>
  db.selectFrom('render_chunk').selectAll().where('export_id', '=', exportId).orderBy('number').execute();

/** The export's row first, then the chunk's: the order in which everybody locks. */
export const lockChunk = async (tx: Tx, chunkId: string): Promise<HeldChunk | undefined> => {
  const found = await tx
    .selectFrom('render_chunk')
    .select('export_id')
    .where('id', '=', chunkId)
    .executeTakeFirst();
  if (!found) return undefined;
  const row = await tx
    .selectFrom('export')
    .selectAll()
    .where('id', '=', found.export_id)
    .where('status', 'in', ['queued', 'started'])
    .forUpdate()
    .executeTakeFirst();
  const chunk = await tx
    .selectFrom('render_chunk')
    .selectAll()
    .where('id', '=', chunkId)
    .where('status', '<>', 'done')
    .forUpdate()
    .executeTakeFirst();
  return row && chunk && isBeingCut(row) ? { export: row, chunk } : undefined;
};

/** Throws `render_lost` where the fence no longer holds it. */
export const lockHeldChunk = async (tx: Tx, fence: ChunkFence): Promise<HeldChunk> => {
  const held = await lockChunk(tx, fence.chunkId);
  if (held?.chunk.epoch !== fence.epoch || held.chunk.attempt !== fence.attempt) {
    throw new RendermillError('render_lost');
  }
  return held;
};
