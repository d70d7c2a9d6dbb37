/** An export as it goes on, over as many connections as it takes: each one resumes after the last state that was seen. */
import { setTimeout as delay } from 'node:timers/promises';
import { isFinal } from '../core/exports.ts';
import { ApiError } from './api-error.ts';
import { createEventParser, type EventParser } from './event-parser.ts';
import { type Transport, unreachable } from './transport.ts';
import type { ExportRecord, Progress, WatchMessage } from './types.ts';

export interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the service may stay away before the watch gives up. */
  readonly patienceMs?: number;
  /** A connection that is silent for longer is dead: the service says something every ten seconds. */
  readonly silenceMs?: number;
}

const defaults = { patienceMs: 60_000, silenceMs: 30_000 };
const defaultRetryMs = 1_000;

type StatusMessage = WatchMessage & { type: 'status' };

/** Ends after the final state. Throws an ApiError, or the signal's reason. */
export async function* watchExport(
  transport: Transport,
  exportId: string,
  options: WatchOptions = {},
): AsyncGenerator<WatchMessage> {
  const { signal, patienceMs, silenceMs } = { ...defaults, ...options };
  const path = `/api/render/${encodeURIComponent(exportId)}`;
  let parser = createEventParser();
  let lastId = '';
  let heardAt = Date.now();
  for (;;) {
    let broken: unknown;
    try {
      const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) };
      parser = createEventParser();
      for await (const text of readText(transport, `${path}/events`, headers, silenceMs, signal)) {
        heardAt = Date.now();
        for (const { event, data, id } of parser.push(text)) {
          if (event === 'progress') yield { type: 'progress', ...(JSON.parse(data) as Progress) };
          if (event !== 'status') continue;
          lastId = id;
          const message: StatusMessage = { ...JSON.parse(data), type: 'status' };
          yield message;
          if (isFinal(message.status)) return;
        }
      }
      // Ended without a final state: it was shown before the last break, or the service is going down.
      const record = await transport.json<ExportRecord>(path, { signal });
      if (isFinal(record.status)) return yield statusOf(record);
    } catch (error) {
      if (signal?.aborted || (error instanceof ApiError && !error.passing)) throw error;
      broken = error;
    }
    if (Date.now() - heardAt > patienceMs) throw broken ?? lostSight(exportId);
    await wait(parser, signal);
  }
}

const wait = (parser: EventParser, signal: AbortSignal | undefined): Promise<void> =>
  delay(parser.retryMs ?? defaultRetryMs, undefined, signal === undefined ? {} : { signal });

async function* readText(
  transport: Transport,
  path: string,
  headers: Record<string, string>,
  silenceMs: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const connection = new AbortController();
  const silence = setTimeout(() => connection.abort(), silenceMs);
  const both = signal === undefined ? connection.signal : AbortSignal.any([connection.signal, signal]);
  try {
    const response = await transport.open(path, { headers, signal: both });
    const decoder = new TextDecoder();
    for await (const chunk of response.body ?? []) {
      silence.refresh();
      yield decoder.decode(chunk, { stream: true });
    }
  } catch (error) {
    // A body that breaks off is a TypeError of fetch's; one that fell silent was ended by ourselves.
    throw error instanceof ApiError || signal?.aborted ? error : unreachable(path, error);
  } finally {
    clearTimeout(silence);
    connection.abort();
  }
}

const statusOf = (record: ExportRecord): StatusMessage => ({
  type: 'status',
  status: record.status,
  at: record.completedAt ?? record.failedAt ?? record.canceledAt ?? record.createdAt,
  attempt: record.attempt,
  ...(record.status === 'failed' && record.error !== null ? { error: record.error } : {}),
});

const lostSight = (exportId: string): ApiError =>
  new ApiError({ code: 'unreachable', status: 0, message: `The service stopped telling of export ${exportId}.` });
