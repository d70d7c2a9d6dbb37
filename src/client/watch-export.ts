/** An export as it goes on, over as many connections as it takes: each one resumes after the last state that was seen. */
import { setTimeout as delay } from 'node:timers/promises';
import { isFinal } from '../core/exports.ts';
import { ApiError } from './api-error.ts';
import { createEventParser, type StreamEvent } from './event-parser.ts';
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
type Settings = Required<Omit<WatchOptions, 'signal'>> & Pick<WatchOptions, 'signal'>;

/** What one connection leaves to the next. */
interface Place {
  lastId: string;
  heardAt: number;
  retryMs: number;
}

/** Ends after the final state. Throws an ApiError, or the signal's reason. */
export async function* watchExport(
  transport: Transport,
  exportId: string,
  options: WatchOptions = {},
): AsyncGenerator<WatchMessage> {
  const settings = { ...defaults, ...options };
  const { signal } = settings;
  const path = `/api/render/${encodeURIComponent(exportId)}`;
  const place: Place = { lastId: '', heardAt: Date.now(), retryMs: defaultRetryMs };
  for (;;) {
    let broken: unknown;
    try {
      for await (const message of readMessages(transport, `${path}/events`, place, settings)) {
        yield message;
        if (isLast(message)) return;
      }
      // Ended without a final state: it was shown before the last break, or the service is going down.
      const record = await transport.json<ExportRecord>(path, { signal });
      if (isFinal(record.status)) return yield statusOf(record);
    } catch (error) {
      if (signal?.aborted || (error instanceof ApiError && !error.passing)) throw error;
      broken = error;
    }
    if (Date.now() - place.heardAt > settings.patienceMs) throw broken ?? lostSight(exportId);
    await delay(place.retryMs, undefined, signal === undefined ? {} : { signal });
  }
}

const isLast = (message: WatchMessage): boolean => message.type === 'status' && isFinal(message.status);

async function* readMessages(
  transport: Transport,
  path: string,
  place: Place,
  settings: Settings,
): AsyncGenerator<WatchMessage> {
  const parser = createEventParser();
  for await (const text of readText(transport, path, place.lastId, settings)) {
    place.heardAt = Date.now();
    for (const event of parser.push(text)) {
      const message = toMessage(event);
      if (message?.type === 'status') place.lastId = event.id;
      if (message) yield message;
    }
    place.retryMs = parser.retryMs ?? place.retryMs;
  }
}

const toMessage = ({ event, data }: StreamEvent): WatchMessage | null => {
  if (event === 'status') return { ...parse<StatusMessage>(data), type: 'status' };
  return event === 'progress' ? { ...parse<Progress>(data), type: 'progress' } : null;
};

const parse = <Data>(text: string): Data => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError({
      code: 'unexpected_answer',
      status: 0,
      message: `The event "${text}" is not JSON.`,
      cause,
    });
  }
};

async function* readText(
  transport: Transport,
  path: string,
  lastId: string,
  { signal, silenceMs }: Settings,
): AsyncGenerator<string> {
  const headers = { accept: 'text/event-stream', ...(lastId === '' ? {} : { 'last-event-id': lastId }) };
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
    throw error instanceof ApiError || signal?.aborted ? error : unreachable(transport.base, error);
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
  new ApiError({
    code: 'unreachable',
    status: 0,
    message: `The service stopped telling of export ${exportId}.`,
  });
