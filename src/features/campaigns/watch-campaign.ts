/**
 * A campaign as it goes on: where its last run stands, told at most four times a second, the newest always. Whoever comes back
 * gets a snapshot first, so that nothing need be remembered of what was said before.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { isClosed, type RunStatus } from '../../core/batches.ts';
import { type BatchRun, getBatch, listRuns } from '../../domain/batches/batch.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { createBell } from '../../platform/db/bell.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import { presentRunProgress, type RunProgress } from './present-run.ts';

export type CampaignMessage =
  | {
      readonly type: 'status';
      /** Names run and status, so that one who saw the end is known. */
      readonly id: string;
      readonly data: { readonly run: number; readonly status: RunStatus; readonly at: string };
    }
  | { readonly type: 'progress'; readonly data: RunProgress }
  | { readonly type: 'heartbeat' };

/** Looks again after this long even if no notification came; also keeps proxies from closing a silent connection. */
const heartbeatMs = 10_000;
const betweenMessagesMs = 250;

interface WatchDeps {
  readonly db: Database;
  readonly listener: Listener;
  readonly clock: Clock;
}

interface Watched {
  readonly organizationId: string;
  /** Its id, or the tenant's own name for it. */
  readonly campaign: string;
  /** Of the last status message that was seen; empty: none. */
  readonly lastId: string;
  readonly signal: AbortSignal;
}

/**
 * Ends after the close of the last run; without a message where its end was seen before. Throws `not_found` before its first
 * message for a campaign of someone else.
 */
export async function* watchCampaign(deps: WatchDeps, watched: Watched): AsyncGenerator<CampaignMessage> {
  const { organizationId, signal } = watched;
  // By its id from here on: a younger campaign may take the name.
  const { batch, run: known } = await getBatch(deps.db, organizationId, watched.campaign);
  if (isClosed(known.status) && statusId(known) === watched.lastId) return;
  const bell = createBell(deps.listener, { channel: 'rendermill_batch', id: batch.id, signal });
  let lastStatus = '';
  let lastProgress = '';
  try {
    while (!signal.aborted) {
      const run = (await listRuns(deps.db, batch.id)).at(-1);
      if (!run) return;
      const progress = presentRunProgress(run, deps.clock.now());
      // The time that is left changes by itself: not worth a message.
      const counts = JSON.stringify({ ...progress, secondsLeft: null });
      const isNew = statusId(run) !== lastStatus;
      if (isNew && !isClosed(run.status)) yield toStatus(run);
      if (counts !== lastProgress) yield { type: 'progress', data: progress };
      if (isNew && isClosed(run.status)) return yield toStatus(run);
      lastStatus = statusId(run);
      lastProgress = counts;
      // Aborted: the client has left, which the head of the loop sees.
      await delay(betweenMessagesMs, undefined, { signal }).catch(() => undefined);
      if (!(await bell.rung(heartbeatMs))) yield { type: 'heartbeat' };
    }
  } finally {
    bell.remove();
  }
}

const statusId = (run: BatchRun): string => `${run.run}-${run.status}`;

const toStatus = (run: BatchRun): CampaignMessage => ({
  type: 'status',
  id: statusId(run),
  data: {
    run: run.run,
    status: run.status,
    at: (run.closed_at ?? run.started_at ?? run.created_at).toISOString(),
  },
});
