import type { Tx } from '../../../platform/db/client.ts';
import type { Export } from '../export.ts';

/** The exports have ended: whoever still renders a chunk of theirs finds that it is gone. The caller holds the exports' locks. */
export const dropChunks = async (tx: Tx, rows: readonly Pick<Export, 'id' | 'chunks'>[]): Promise<void> => {
  const cut = rows.filter((row) => row.chunks !== null).map((row) => row.id);
  if (cut.length === 0) return;
  // In the order in which the feeder locks them.
  await tx
    .selectFrom('render_chunk')
    .select('id')
    .where('export_id', 'in', cut)
    .orderBy('id')
    .forUpdate()
    .execute();
  await tx.deleteFrom('render_chunk').where('export_id', 'in', cut).execute();
};
