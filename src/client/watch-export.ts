import { isFinal } from '../core/exports.ts';
import type { StreamEvent } from './event-parser.ts';
import { followStream, parseData, type WatchOptions } from './follow-stream.ts';
import type { Transport } from './transport.ts';
import type { ExportRecord, Progress, WatchMessage } from './types.ts';

type StatusMessage = WatchMessage & { type: 'status' };

/** An export as it goes on. Ends after the final state. Throws an ApiError, or the signal's reason. */
export const watchExport = (
  transport: Transport,
  exportId: string,
  options: WatchOptions = {},
): AsyncGenerator<WatchMessage> => {
  const path = `/api/render/${encodeURIComponent(exportId)}`;
  return followStream<WatchMessage>(
    transport,
    {
      path: `${path}/events`,
      what: `export ${exportId}`,
      toMessage,
      isLast: (message) => message.type === 'status' && isFinal(message.status),
      readEnd: async () => {
        const record = await transport.json<ExportRecord>(path, { signal: options.signal });
        return isFinal(record.status) ? statusOf(record) : null;
      },
    },
    options,
  );
};

const toMessage = (event: StreamEvent): WatchMessage | null => {
  if (event.event === 'status') return { ...parseData<StatusMessage>(event), type: 'status' };
  return event.event === 'progress' ? { ...parseData<Progress>(event), type: 'progress' } : null;
};

const statusOf = (record: ExportRecord): StatusMessage => ({
  type: 'status',
  status: record.status,
  at: record.completedAt ?? record.failedAt ?? record.canceledAt ?? record.createdAt,
  attempt: record.attempt,
  ...(record.status === 'failed' && record.error !== null ? { error: record.error } : {}),
});
