import type { Reader } from '../../platform/db/client.ts';
import type { Fence } from './export.ts';

/** Of those that their fences still hold: whether they are to be canceled. By export id. */
export const findHeld = async (
  db: Reader,
  fences: readonly Fence[],
): Promise<ReadonlyMap<string, { readonly cancelRequested: boolean }>> => {
  if (fences.length === 0) return new Map();
  const byId = new Map(fences.map((fence) => [fence.exportId, fence]));
  const rows = await db
    .selectFrom('export')
    .select(['id', 'epoch', 'attempt', 'cancel_requested_at'])
    .where('id', 'in', [...byId.keys()])
    .where('status', '=', 'started')
    .execute();
  const held = rows.filter((row) => {
    const fence = byId.get(row.id);
    return row.epoch === fence?.epoch && row.attempt === fence.attempt;
  });
  return new Map(held.map((row) => [row.id, { cancelRequested: row.cancel_requested_at !== null }]));
};
