import { RendermillError } from '../../core/errors.ts';
import { isUuid } from '../../core/ids.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import { emit } from '../events/emit.ts';
import { type Export, exportEnvelope, type Fence, jobFacts } from './export.ts';
import { giveBack } from './give-back.ts';
import { lockHeldExport } from './held-export.ts';

/**
 * Cancels at any stage. What no worker holds ends here and now; what one holds is marked, and whoever holds it, or takes it
 * over, ends it. Throws `not_found` and, for one that has ended in another way, `export_finished`.
 */
export const requestCancel = async (
  tx: Tx,
  organizationId: string,
  id: string,
  now: Date,
): Promise<Export> => {
  const row = isUuid(id)
    ? await tx
        .selectFrom('export')
        .selectAll()
        .where('id', '=', id)
        .where('organization_id', '=', organizationId)
        .forUpdate()
        .executeTakeFirst()
    : undefined;
  if (!row) throw new RendermillError('not_found', { message: `There is no export "${id}".` });
  if (row.status === 'canceled') return row;
  if (row.status === 'queued') return endCanceled(tx, row, 'server', now);
  if (row.status === 'started' && row.cancel_requested_at !== null) return row;
  if (row.status !== 'started') {
    throw new RendermillError('export_finished', {
      message: `The export has already ${row.status}; nothing is left to cancel.`,
    });
  }
  await notify(tx, 'rendermill_cancel', id);
  return tx
    .updateTable('export')
    .set({ cancel_requested_at: now, updated_at: now })
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
};

/** The worker that holds it has ended its work. Throws `render_lost`. */
export const finishCancel = async (tx: Tx, fence: Fence, now: Date): Promise<Export> =>
  endCanceled(tx, await lockHeldExport(tx, fence), 'worker', now);

/** The caller holds the row's lock. */
export const endCanceled = async (
  tx: Tx,
  row: Export,
  source: 'server' | 'worker',
  now: Date,
): Promise<Export> => {
  const canceled = await tx
    .updateTable('export')
    .set({
      status: 'canceled',
      cancel_requested_at: row.cancel_requested_at ?? now,
      canceled_at: now,
      updated_at: now,
    })
    .where('id', '=', row.id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await emit(tx, {
    name: 'job_canceled',
    ...exportEnvelope(canceled, source, now),
    properties: { ...jobFacts(canceled, now), attempt: canceled.attempt },
  });
  await giveBack(tx, canceled, source, now);
  await notify(tx, 'rendermill_export', canceled.id);
  await notify(tx, 'rendermill_feed');
  return canceled;
};
