import { type SqlBool, sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Tx } from '../../platform/db/client.ts';
import type { Export, Fence } from './export.ts';

/** Locks the export while the fence still holds it, in whatever state it waits or runs; else `render_lost`. */
export const lockHeldExport = async (tx: Tx, fence: Fence): Promise<Export> => {
  const row = await tx
    .selectFrom('export')
    .selectAll()
    .where('id', '=', fence.exportId)
    .where(sql<SqlBool>`(epoch, attempt) = (${fence.epoch}, ${fence.attempt})`)
    .where('status', 'in', ['queued', 'started'])
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw new RendermillError('render_lost');
  return row;
};
