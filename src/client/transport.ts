/** One request to the service, repeated where it asks for that. Every failure leaves here as an ApiError, except that of a caller's own signal. */
import { ApiError } from './api-error.ts';
import { type ComeBackOptions, readRetryAfter, repeatWhenAsked } from './come-back.ts';

export interface ClientOptions extends ComeBackOptions {
  /** Where the service is: http://127.0.0.1:3000 */
  readonly url: string;
  /** A secret key: rm_sk_… */
  readonly key: string;
}

export interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** A redirect is an answer, too: where it leads is the caller's business. */
  readonly mayRedirect?: boolean;
  /** The caller comes back itself. */
  readonly once?: boolean;
}

export interface Transport {
  readonly options: ClientOptions;
  /** Without a slash at its end. */
  readonly base: string;
  /** The answer, its body unread; rejects for a status that is no success. */
  open(path: string, options?: RequestOptions): Promise<Response>;
  json<Answer>(path: string, options?: RequestOptions): Promise<Answer>;
}

const answerTimeoutMs = 30_000;

export const createTransport = (clientOptions: ClientOptions): Transport => {
  const { url, key } = clientOptions;
  const base = url.replace(/\/+$/, '');

  const ask = async (path: string, options: RequestOptions): Promise<Response> => {
    const { method = 'GET', body, headers = {}, signal, mayRedirect = false } = options;
    const response = await fetch(base + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
      redirect: mayRedirect ? 'manual' : 'follow',
    }).catch((error: unknown) => {
      throw signal?.aborted ? error : unreachable(base, error);
    });
    const isRedirect = mayRedirect && response.headers.has('location');
    if (!response.ok && !isRedirect) throw await refusal(response);
    return response;
  };

  /** Waiting to be let in again is no part of the time for an answer. */
  const askJson = async <Answer>(path: string, options: RequestOptions): Promise<Answer> => {
    const timeout = AbortSignal.timeout(answerTimeoutMs);
    const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
    try {
      const response = await ask(path, { ...options, signal });
      return (await response.json()) as Answer;
    } catch (error) {
      if (error instanceof ApiError || options.signal?.aborted) throw error;
      throw timeout.aborted ? unreachable(base, error) : unexpected(base, error);
    }
  };

  const repeating = <Answer>(options: RequestOptions, one: () => Promise<Answer>): Promise<Answer> => {
    const { method = 'GET', headers = {}, signal, once = false } = options;
    const request = { method, signal, hasIdempotencyKey: headers['idempotency-key'] !== undefined };
    return once ? one() : repeatWhenAsked(clientOptions, request, one);
  };

  return {
    options: clientOptions,
    base,
    open: (path, options = {}) => repeating(options, () => ask(path, options)),
    json: <Answer>(path: string, options: RequestOptions = {}) =>
      repeating(options, () => askJson<Answer>(path, options)),
  };
};

/** fetch says "fetch failed", and only in its cause why; a name with several addresses gives several causes. */
const reasonOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  if (cause instanceof AggregateError) return reasonOf(cause.errors[0]);
  return cause instanceof Error ? cause.message : String(cause);
};

export const unreachable = (base: string, cause: unknown): ApiError =>
  new ApiError({
    code: 'unreachable',
    status: 0,
    message: `No answer from ${base}: ${reasonOf(cause)}.`,
    cause,
  });

const unexpected = (base: string, cause: unknown): ApiError =>
  new ApiError({
    code: 'unexpected_answer',
    status: 0,
    message: `What answers at ${base} does not speak Rendermill's API: ${reasonOf(cause)}.`,
    cause,
  });

interface ErrorBody {
  readonly error: { code: string; message: string; details?: Record<string, unknown>; requestId?: string };
}

const isErrorBody = (body: unknown): body is ErrorBody =>
  typeof body === 'object' &&
  body !== null &&
  'error' in body &&
  typeof body.error === 'object' &&
  body.error !== null &&
  'code' in body.error &&
  'message' in body.error;

/** A proxy in between answers with pages of its own. */
const refusal = async (response: Response): Promise<ApiError> => {
  const body: unknown = await response.json().catch(() => undefined);
  const { status } = response;
  const retryAfterMs = readRetryAfter(response);
  if (isErrorBody(body)) return new ApiError({ ...body.error, status, retryAfterMs });
  return new ApiError({
    code: 'unexpected_answer',
    status,
    message: `${response.url} answered ${status} ${response.statusText}`.trimEnd(),
    requestId: response.headers.get('x-request-id') ?? undefined,
    retryAfterMs,
  });
};
