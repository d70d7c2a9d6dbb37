/**
 * The render at AWS that an export has there. Whoever watches it clears it up. One that nobody watches, because its export ended
 * or went to the workers while no worker held it, stays on the row until a worker that reaches AWS has ended it.
 */
import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { StoredRemoteRender } from '../../platform/db/schema-rendering.ts';
import type { Export, Fence } from './export.ts';

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

/** Told to whoever can end renders at AWS, when the transaction commits: some of these exports may have left one behind. */
export const tellOfRemoteRenders = async (
  tx: Tx,
  rows: readonly Pick<Export, 'remote_render'>[],
): Promise<void> => {
  if (rows.some((row) => row.remote_render !== null)) await notify(tx, 'rendermill_lambda_end');
};

export interface LeftRender {
  readonly exportId: string;
  readonly remote: StoredRemoteRender;
}

/**
 * Renders of exports that failed, were canceled, or are the workers' by now, completed by them or not, in the order of their ids from
 * after the given one on. The condition is that of `export_left_render`, so that only these are read.
 */
export const findLeftRenders = async (
  db: Reader,
  afterId: string | null,
  limit: number,
): Promise<readonly LeftRender[]> => {
  const { rows } = await sql<LeftRender>`
    SELECT id AS "exportId", remote_render AS remote FROM export
    WHERE remote_render IS NOT NULL
      AND (status IN ('failed', 'canceled') OR render_mode = 'local' AND status IN ('queued', 'started', 'completed'))
      ${afterId === null ? sql`` : sql`AND id > ${afterId}`}
    ORDER BY id LIMIT ${limit}`.execute(db);
  return rows;
};

/** It has been ended. */
export const forgetLeftRender = async (db: Database, { exportId, remote }: LeftRender): Promise<void> => {
  await db
    .updateTable('export')
    .set({ remote_render: null })
    .where('id', '=', exportId)
    .where(sql<string>`remote_render ->> 'renderId'`, '=', remote.renderId)
    .execute();
};
