import { RendermillError } from '../../core/errors.ts';
import type { NewEvent } from '../../core/events/new-event.ts';
import { isUuid } from '../../core/ids.ts';
import type { Tx } from '../../platform/db/client.ts';
import { notify, notifyAll } from '../../platform/db/notify.ts';
import { emitAll } from '../events/emit.ts';
import { countEndsOf, lockRunsOf } from './cells.ts';
import { dropChunks } from './chunks/drop-chunks.ts';
import { type Export, exportEnvelope, type Fence, jobFacts } from './export.ts';
import { giveBack } from './give-back.ts';
import { lockHeldExports } from './held-export.ts';
import { tellOfRemoteRenders } from './remote-render.ts';
import { isSilentFor } from './workers.ts';

type Source = 'server' | 'worker';

/** Longer than a lost worker's export takes to be taken over by another. */
const goneForGoodMs = 120_000;

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
  if (row.status === 'queued' || isInNobodysHands(row) || (await isForsaken(tx, row, now))) {
    // Whoever renders a chunk of it finds that it is gone; this makes it sooner.
    await notify(tx, 'rendermill_cancel', id);
    return (await endCanceled(tx, [row], 'server', now))[0] ?? row;
  }
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

/** Whoever held it has been silent for long, and nobody came to take it over: should it come back, its writes are refused. */
const isForsaken = async (tx: Tx, row: Export, now: Date): Promise<boolean> => {
  const silentSince = now.getTime() - goneForGoodMs;
  const lastSeen = Math.max(row.attempt_started_at?.getTime() ?? 0, row.progress_at?.getTime() ?? 0);
  if (row.status !== 'started' || row.worker_id === null || lastSeen > silentSince) return false;
  const worker = await tx
    .selectFrom('worker')
    .select(isSilentFor(goneForGoodMs).as('isSilent'))
    .where('id', '=', row.worker_id)
    .executeTakeFirst();
  return worker === undefined || worker.isSilent;
};

/** A cut video is, while its chunks are rendered and until someone joins them. */
const isInNobodysHands = (row: Export): boolean =>
  row.status === 'started' && row.chunks !== null && row.worker_id === null;

/** The worker that holds it has ended its work. Throws `render_lost`. */
export const finishCancel = async (tx: Tx, fence: Fence, now: Date): Promise<Export> => {
  const [row] = await finishCancels(tx, [fence], now);
  if (!row) throw new RendermillError('render_lost');
  return row;
};

/** As finishCancel, for several; those whose fence no longer holds them are left out of the answer. */
export const finishCancels = async (tx: Tx, fences: readonly Fence[], now: Date): Promise<Export[]> =>
  endCanceled(tx, await lockHeldExports(tx, fences), 'worker', now);

/** The caller holds the rows' locks. */
export const endCanceled = async (
  tx: Tx,
  rows: readonly Export[],
  source: Source,
  now: Date,
): Promise<Export[]> => {
  await lockRunsOf(tx, rows);
  return cancelLocked(tx, rows, source, now);
};

/** The caller holds the locks of the rows and of their runs. */
export const cancelLocked = async (
  tx: Tx,
  rows: readonly Export[],
  source: Source,
  now: Date,
): Promise<Export[]> => {
  if (rows.length === 0) return [];
  const canceled = await tx
    .updateTable('export')
    .set((row) => ({
      status: 'canceled' as const,
      cancel_requested_at: row.fn.coalesce('cancel_requested_at', row.val(now)),
      canceled_at: now,
      updated_at: now,
    }))
    .where(
      'id',
      'in',
      rows.map((row) => row.id),
    )
    .returningAll()
    .execute();
  await emitAll(
    tx,
    canceled.map(
      (row): NewEvent<'job_canceled'> => ({
        name: 'job_canceled',
        ...exportEnvelope(row, source, now),
        properties: { ...jobFacts(row, now), attempt: row.attempt },
      }),
    ),
  );
  await dropChunks(tx, canceled);
  await tellOfRemoteRenders(tx, canceled);
  await giveBack(tx, canceled, source, now);
  await notifyAll(
    tx,
    'rendermill_export',
    canceled.map((row) => row.id),
  );
  await notify(tx, 'rendermill_feed');
  await countEndsOf(tx, canceled, (cells) => ({ canceled: cells.length }), source, now);
  return canceled;
};
