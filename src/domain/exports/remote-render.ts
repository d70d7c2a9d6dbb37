import { RendermillError } from '../../core/errors.ts';
import type { Database } from '../../platform/db/client.ts';
import type { StoredRemoteRender } from '../../platform/db/schema-rendering.ts';
import type { Fence } from './export.ts';

/** So that whoever takes the export over watches the render that goes on. Throws `render_lost` where the fence holds it no longer. */
export const saveRemoteRender = async (
  db: Database,
  fence: Fence,
  remote: StoredRemoteRender,
): Promise<void> => {
  const { numUpdatedRows } = await db
    .updateTable('export')
    .set({ remote_render: JSON.stringify(remote) })
    .where('id', '=', fence.exportId)
    .where('epoch', '=', fence.epoch)
    .where('attempt', '=', fence.attempt)
    .where('status', '=', 'started')
    .executeTakeFirst();
  if (numUpdatedRows === 0n) throw new RendermillError('render_lost');
};
