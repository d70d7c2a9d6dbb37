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

/** Of older exports the bucket's own rules have removed what was left: longer than those take, and than most wait in line. */
const lookBackMs = 7 * 24 * 60 * 60 * 1000;

/** Renders of exports that failed, were canceled, or are the workers' by now. */
export const findLeftRenders = async (
  db: Reader,
  now: Date,
  limit: number,
): Promise<readonly LeftRender[]> => {
  const since = new Date(now.getTime() - lookBackMs);
  const { rows } = await sql<LeftRender>`
    SELECT id AS "exportId", remote_render AS remote FROM (
      (SELECT ended.id, ended.remote_render FROM organization, LATERAL (
          SELECT id, remote_render FROM export WHERE organization_id = organization.id AND status IN ('failed', 'canceled')
            AND created_at > ${since} AND remote_render IS NOT NULL LIMIT ${limit}
        ) AS ended LIMIT ${limit})
      UNION ALL
      (SELECT id, remote_render FROM export WHERE render_mode = 'local' AND status IN ('queued', 'started')
        AND fed_at IS NULL AND remote_render IS NOT NULL LIMIT ${limit})
      UNION ALL
      (SELECT id, remote_render FROM export WHERE render_mode = 'local' AND status IN ('queued', 'started')
        AND fed_at IS NOT NULL AND remote_render IS NOT NULL LIMIT ${limit})
    ) AS left_behind LIMIT ${limit}`.execute(db);
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
