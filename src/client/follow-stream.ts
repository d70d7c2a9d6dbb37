/** A stream of server-sent events, over as many connections as it takes: each one resumes after the last id that was seen. */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from './api-error.ts';
import { longestWaitMs, planWait } from './come-back.ts';
import { createEventParser, type StreamEvent } from './event-parser.ts';
import { type Transport, unreachable } from './transport.ts';

export interface WatchOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the service may stay away before the watch gives up. */
  readonly patienceMs?: number;
  /** A connection that is silent for longer is dead: the service says something every ten seconds. */
  readonly silenceMs?: number;
}

export interface Followed<Message> {
  /** Of the stream. */
  readonly path: string;
  /** For the error that ends a watch of which nothing more is heard: `export e-1`. */
  readonly what: string;
  /** Null: nothing to tell. */
  readonly toMessage: (event: StreamEvent) => Message | null;
  readonly isLast: (message: Message) => boolean;
  /** The last message, looked up where a stream ended without one; null: it goes on. */
  readonly readEnd: () => Promise<Message | null>;
}

const defaults = { patienceMs: 60_000, silenceMs: 30_000 };
const defaultRetryMs = 1_000;

type Settings = Required<Omit<WatchOptions, 'signal'>> & Pick<WatchOptions, 'signal'>;

/** What one connection leaves to the next. */
interface Place {
  lastId: string;
  heardAt: number;
  retryMs: number;
}

/** Ends after the last message. Throws an ApiError, or the signal's reason. */
export async function* followStream<Message>(
  transport: Transport,
  followed: Followed<Message>,
  options: WatchOptions = {},
): AsyncGenerator<Message> {
  const { signal, patienceMs = defaults.patienceMs, silenceMs = defaults.silenceMs } = options;
  const settings = { signal, patienceMs, silenceMs };
  const place: Place = { lastId: '', heardAt: Date.now(), retryMs: defaultRetryMs };
  for (;;) {
    let broken: unknown;
    try {
      for await (const message of readMessages(transport, followed, place, settings)) {
        yield message;
        if (followed.isLast(message)) return;
      }
      // Ended without its last message: it was shown before the last break, or the service is going down.
      const end = await followed.readEnd();
      if (end !== null) return yield end;
    } catch (error) {
      if (signal?.aborted || (error instanceof ApiError && !error.passing)) throw error;
      broken = error;
    }
    if (Date.now() - place.heardAt > patienceMs) throw broken ?? lostSight(followed.what);
    const waitMs = Math.max(place.retryMs, askedToWait(transport, broken));
    await delay(Math.min(waitMs, longestWaitMs), undefined, signal === undefined ? {} : { signal });
  }
}

/** Milliseconds; 0: it was not asked to. Throws the refusal where that is longer than the client is willing to wait. */
const askedToWait = ({ options }: Transport, broken: unknown): number => {
  if (!(broken instanceof ApiError) || broken.retryAfterMs === undefined) return 0;
  // How often is a matter of the watch's own patience.
  const { retryAfterMs } = broken;
  const waitMs = planWait({ ...options, mostRepeats: 1 }, { retryAfterMs, repeats: 0, waitedMs: 0 });
  if (waitMs === null) throw broken;
  options.onWait?.({ error: broken, waitMs });
  return waitMs;
};

async function* readMessages<Message>(
  transport: Transport,
  followed: Pick<Followed<Message>, 'path' | 'toMessage'>,
  place: Place,
  settings: Settings,
): AsyncGenerator<Message> {
  const parser = createEventParser();
  for await (const text of readText(transport, followed.path, place.lastId, settings)) {
    place.heardAt = Date.now();
    for (const event of parser.push(text)) {
      const message = followed.toMessage(event);
      if (event.id !== '') place.lastId = event.id;
      if (message !== null) yield message;
    }
    place.retryMs = parser.retryMs ?? place.retryMs;
  }
}

/** Of an event whose data is JSON. */
export const parseData = <Data>({ data }: StreamEvent): Data => {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw new ApiError({
      code: 'unexpected_answer',
      status: 0,
      message: `The event "${data}" is not JSON.`,
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
    const response = await transport.open(path, { headers, signal: both, once: true });
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

const lostSight = (what: string): ApiError =>
  new ApiError({ code: 'unreachable', status: 0, message: `The service stopped telling of ${what}.` });
