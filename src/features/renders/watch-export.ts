/**
 * An export as it goes on: each change of state once, numbered by its place in the event log, so that a reader who comes back
 * names the last one it saw and misses none; between them the last progress, which has no number since only the newest matters.
 */
import type { EventName } from '../../core/events/catalog.ts';
import { type ExportStatus, isFinal } from '../../core/exports.ts';
import { type LoggedEvent, readEventsOf } from '../../domain/events/read-events.ts';
import { type Export, getExport } from '../../domain/exports/export.ts';
import { createBell } from '../../platform/db/bell.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Listener } from '../../platform/db/listener.ts';
import type { StoredProgress } from '../../platform/db/schema.ts';

export type WatchMessage =
  | {
      readonly type: 'status';
      readonly id: number;
      readonly data: Record<string, unknown> & { status: ExportStatus };
    }
  | { readonly type: 'progress'; readonly data: StoredProgress }
  | { readonly type: 'heartbeat' };

const statusOfEvent: Partial<Record<EventName, ExportStatus>> = {
  job_created: 'queued',
  processing_started: 'started',
  processing_completed: 'completed',
  processing_failed: 'failed',
  job_canceled: 'canceled',
};

/** Looks again after this long even if no notification came; also keeps proxies from closing a silent connection. */
const heartbeatMs = 10_000;

interface WatchDeps {
  readonly db: Database;
  readonly listener: Listener;
}

const toStatus = (event: LoggedEvent): WatchMessage | null => {
  const status = statusOfEvent[event.event as EventName];
  if (status === undefined) return null;
  const { attempt, error_code, failure_reason } = event.properties as Record<string, unknown>;
  return {
    type: 'status',
    id: event.position,
    data: {
      status,
      at: event.occurredAt.toISOString(),
      ...(attempt === undefined ? {} : { attempt }),
      ...(error_code === undefined ? {} : { error: { code: error_code, message: failure_reason } }),
    },
  };
};

/** Ends after the final state. Throws `not_found` before its first message for an export of someone else. */
export async function* watchExport(
  deps: WatchDeps,
  watched: {
    organizationId: string;
    exportId: string;
    afterPosition: number;
    signal: AbortSignal;
    /** Told of the export once it is found. */
    onOpen?: (row: Export) => void;
  },
): AsyncGenerator<WatchMessage> {
  const { organizationId, exportId } = watched;
  const bell = createBell(deps.listener, {
    channel: 'rendermill_export',
    id: exportId,
    signal: watched.signal,
  });
  let position = watched.afterPosition;
  let lastProgress = '';
  let onOpen = watched.onOpen;
  try {
    while (!watched.signal.aborted) {
      // The row before the log: a state that ends in between is then met in the next round, not lost.
      const row = await getExport(deps.db, organizationId, exportId);
      onOpen?.(row);
      onOpen = undefined;
      for (const event of await readEventsOf(deps.db, {
        organizationId,
        id: exportId,
        afterPosition: position,
      })) {
        position = event.position;
        const message = toStatus(event);
        if (message) yield message;
      }
      if (isFinal(row.status)) return;
      const progress = JSON.stringify(row.progress);
      if (row.progress && progress !== lastProgress) yield { type: 'progress', data: row.progress };
      lastProgress = progress;
      if (!(await bell.rung(heartbeatMs))) yield { type: 'heartbeat' };
    }
  } finally {
    bell.remove();
  }
}
