/**
 * Sends to one address of somebody else, whose server may do anything: hang, answer byte by byte, answer without end, redirect,
 * or lie in our own network. Costs a bounded time and a bounded piece of memory in each case.
 */
import { Agent, type Dispatcher, request } from 'undici';
import { createPublicConnector } from './checked-connector.ts';
import { explainNetworkFailure } from './explain-failure.ts';
import { resolveByDns } from './resolve-by-dns.ts';
import type { Resolve } from './resolve-public.ts';

export interface PostClientOptions {
  readonly url: string;
  /** Connections at once; more requests wait for one. */
  readonly connections: number;
  /** From the call until the status is known. */
  readonly timeoutMs: number;
  /** Also to addresses that are not public, by this machine's own lookup. */
  readonly allowPrivate: boolean;
  readonly resolve?: Resolve;
  /** Of the body of an answer; absent: what a person wants to see of it. */
  readonly keptBytes?: number;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The first bytes of the body. */
  readonly body: Uint8Array;
}

export type PostResult =
  | ({ readonly type: 'answered' } & PostAnswer)
  /** `error` says why, for whoever owns the server. */
  | { readonly type: 'failed'; readonly error: string }
  /** The signal was aborted, or the client closed, before the status was known. */
  | { readonly type: 'aborted' };

export interface PostClient {
  /** Never rejects for what the network or the server does. A redirect is an answer like any other. */
  post(headers: Readonly<Record<string, string>>, body: Uint8Array, signal: AbortSignal): Promise<PostResult>;
  close(): Promise<void>;
}

const connectMs = 5_000;
/** For the body, once the status is known: it is kept for a person to read, and decides nothing. */
const bodyMs = 1_000;
const defaultKeptBytes = 1_000;
/** Shorter than what servers commonly keep a connection for, so that none is used just as it is being closed. */
const keepAliveMs = 4_000;
const maxHeaderBytes = 16 * 1_024;

export const createPostClient = (options: PostClientOptions): PostClient => {
  const connect = options.allowPrivate
    ? { timeout: connectMs }
    : createPublicConnector({ resolve: options.resolve ?? resolveByDns, timeoutMs: connectMs });
  const agent = new Agent({
    connections: options.connections,
    pipelining: 1,
    connect,
    // The deadline below is the one limit; these only must not come before it.
    headersTimeout: 2 * options.timeoutMs,
    bodyTimeout: 2 * options.timeoutMs,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: 60_000,
    maxHeaderSize: maxHeaderBytes,
  });
  return {
    post: (headers, body, signal) => post(agent, options, { headers, body, signal }),
    // What runs has its own deadline; a receiver must not hold up the end of the process.
    close: () => agent.destroy(),
  };
};

interface Posted {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly signal: AbortSignal;
}

const post = async (agent: Agent, options: PostClientOptions, posted: Posted): Promise<PostResult> => {
  if (posted.signal.aborted) return { type: 'aborted' };
  const ending = new AbortController();
  const end = (): void => ending.abort();
  posted.signal.addEventListener('abort', end, { once: true });
  const deadline = setTimeout(end, options.timeoutMs);
  try {
    const { url } = options;
    const { headers, body } = posted;
    const answer = await request(url, {
      dispatcher: agent,
      method: 'POST',
      headers,
      body,
      signal: ending.signal,
    });
    return {
      type: 'answered',
      status: answer.statusCode,
      headers: answer.headers,
      body: await readBeginning(answer.body, options.keptBytes ?? defaultKeptBytes, end),
    };
  } catch (error) {
    if (posted.signal.aborted || agent.destroyed) return { type: 'aborted' };
    if (ending.signal.aborted)
      return { type: 'failed', error: `No answer came within ${options.timeoutMs / 1_000} seconds.` };
    return { type: 'failed', error: explainNetworkFailure(error) };
  } finally {
    clearTimeout(deadline);
    posted.signal.removeEventListener('abort', end);
  }
};

/** Ends at the limit, at the body's end, after its time, or where the connection breaks: what came until then is the answer. */
const readBeginning = async (
  body: Dispatcher.ResponseData['body'],
  keptBytes: number,
  end: () => void,
): Promise<Uint8Array> => {
  const chunks: Buffer[] = [];
  let length = 0;
  const deadline = setTimeout(end, bodyMs);
  // Left before its end, a body emits an error.
  body.on('error', () => undefined);
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= keptBytes) break;
    }
  } catch {
    // The status is known, and nothing else counts.
  } finally {
    clearTimeout(deadline);
  }
  return Buffer.concat(chunks).subarray(0, keptBytes);
};
