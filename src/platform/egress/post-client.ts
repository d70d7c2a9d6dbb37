/**
 * Sends to one address of somebody else, whose server may do anything: hang, answer byte by byte, answer without end, redirect,
 * or lie in our own network. Costs a bounded time and a bounded piece of memory in each case.
 */
import { Agent, type Dispatcher } from 'undici';
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
  const { origin, pathname, search } = new URL(options.url);
  const target = { origin, path: pathname + search, method: 'POST' } as const;
  return {
    post: (headers, body, signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve({ type: 'aborted' });
        const answer = createAnswer(agent, options, signal, resolve);
        try {
          agent.dispatch(
            { ...target, headers, body: Buffer.from(body.buffer, body.byteOffset, body.length) },
            answer,
          );
        } catch (error) {
          answer.fail(error);
        }
      }),
    // What runs has its own deadline; a receiver must not hold up the end of the process.
    close: () => agent.destroy(),
  };
};

type Controller = Dispatcher.DispatchController;

interface Answer extends Dispatcher.DispatchHandler {
  fail(error: unknown): void;
}

/** Takes an answer piece by piece, without a stream around it: a webhook is one of many. Tells once what came of it. */
const createAnswer = (
  agent: Agent,
  { timeoutMs, keptBytes = defaultKeptBytes }: PostClientOptions,
  signal: AbortSignal,
  resolve: (result: PostResult) => void,
): Answer => {
  let controller: Controller | undefined;
  let started: Pick<PostAnswer, 'status' | 'headers'> | undefined;
  let ended = false;
  const chunks: Buffer[] = [];
  let length = 0;

  const end = (result: PostResult): void => {
    if (ended) return;
    ended = true;
    clearTimeout(deadline);
    signal.removeEventListener('abort', onAbort);
    resolve(result);
  };
  /** Ends it with what came until then: the status is known, and nothing else counts. */
  const endWith = (otherwise: PostResult): void =>
    end(
      started
        ? { type: 'answered', ...started, body: Buffer.concat(chunks).subarray(0, keptBytes) }
        : otherwise,
    );
  const leave = (otherwise: PostResult): void => {
    endWith(otherwise);
    controller?.abort(new Error('left'));
  };
  const onAbort = (): void => leave({ type: 'aborted' });
  const onDeadline = (): void =>
    leave({ type: 'failed', error: `No answer came within ${timeoutMs / 1_000} seconds.` });
  const fail = (error: unknown): void =>
    endWith(agent.destroyed ? { type: 'aborted' } : { type: 'failed', error: explainNetworkFailure(error) });

  let deadline = setTimeout(onDeadline, timeoutMs);
  signal.addEventListener('abort', onAbort, { once: true });
  return {
    onRequestStart: (begun) => {
      controller = begun;
      if (ended) begun.abort(new Error('left'));
    },
    onResponseStart: (_controller, status, headers) => {
      // An interim answer (103 Early Hints) decides nothing.
      if (status < 200 || ended) return;
      started = { status, headers };
      clearTimeout(deadline);
      deadline = setTimeout(onDeadline, bodyMs);
    },
    onResponseData: (_controller, chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= keptBytes) leave({ type: 'aborted' });
    },
    onResponseEnd: () => endWith({ type: 'aborted' }),
    onResponseError: (_controller, error) => fail(error),
    fail,
  };
};
