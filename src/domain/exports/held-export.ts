import { RendermillError } from '../../core/errors.ts';
import type { Tx } from '../../platform/db/client.ts';
import type { Export, Fence } from './export.ts';

/**
 * Locks those exports that their fences still hold, in whatever state they wait or run; the others are left out. Rows are locked
 * in the order of their ids, as by everybody who locks several.
 */
export const lockHeldExports = async (tx: Tx, fences: readonly Fence[]): Promise<Export[]> => {
  if (fences.length === 0) return [];
  const byId = new Map(fences.map((fence) => [fence.exportId, fence]));
  const rows = await tx
    .selectFrom('export')
    .selectAll()
    .where('id', 'in', [...byId.keys()])
    .where('status', 'in', ['queued', 'started'])
    .orderBy('id')
    .forUpdate()
    .execute();
  return rows.filter((row) => {
    const fence = byId.get(row.id);
    return row.epoch === fence?.epoch && row.attempt === fence.attempt;
  });
};

/** Throws `render_lost` where the fence no longer holds it. */
export const lockHeldExport = async (tx: Tx, fence: Fence): Promise<Export> => {
  const [row] = await lockHeldExports(tx, [fence]);
  if (!row) throw new RendermillError('render_lost');
  return row;
};
