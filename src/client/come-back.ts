/**
 * Coming back when the service says so: 429 and 503 with Retry-After, where repeating cannot do anything twice, so many times and for
 * so long as the client is willing to.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from './api-error.ts';

export interface ComeBackOptions {
  /** How often a request is repeated that was refused with 429 or 503 and Retry-After; default 5; 0: never. */
  readonly mostRepeats?: number;
  /** All waits of one request together, milliseconds; default two minutes. A longer Retry-After is not waited for. */
  readonly mostWaitMs?: number;
  /** Called before each wait. */
  readonly onWait?: (wait: Wait) => void;
}

export interface Wait {
  /** What the service said. */
  readonly error: ApiError;
  readonly waitMs: number;
}

/** Of the request that is repeated. */
export interface Repeated {
  readonly method: string;
  readonly hasIdempotencyKey: boolean;
  readonly signal?: AbortSignal | undefined;
}

export const comeBackDefaults = { mostRepeats: 5, mostWaitMs: 120_000 };
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
/** They are answered before anything is done; of any other refusal of a POST nobody knows. */
const nothingWasDone: ReadonlySet<string> = new Set(['rate_limited', 'service_overloaded']);
/** Of all who were told the same second not all should come in it. */
const mostJitterMs = 1_000;

export const waitOf = (retryAfterMs: number): number =>
  retryAfterMs + Math.random() * Math.min(mostJitterMs, retryAfterMs / 10);

const maySafelyRepeat = ({ method, hasIdempotencyKey }: Repeated, { code }: ApiError): boolean =>
  hasIdempotencyKey || idempotentMethods.has(method) || nothingWasDone.has(code);

/** Throws what the last refusal was. */
export const repeatWhenAsked = async <Answer>(
  options: ComeBackOptions,
  request: Repeated,
  ask: () => Promise<Answer>,
): Promise<Answer> => {
  const { mostRepeats, mostWaitMs, onWait } = { ...comeBackDefaults, ...options };
  const { signal } = request;
  let waitedMs = 0;
  for (let repeats = 0; ; repeats += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.retryAfterMs === undefined) throw error;
      if (repeats >= mostRepeats || !maySafelyRepeat(request, error)) throw error;
      if (waitedMs + error.retryAfterMs > mostWaitMs) throw error;
      const waitMs = waitOf(error.retryAfterMs);
      waitedMs += waitMs;
      onWait?.({ error, waitMs });
      await delay(waitMs, undefined, signal === undefined ? {} : { signal });
    }
  }
};

/** Milliseconds; undefined: it was not asked to come back. */
export const readRetryAfter = ({ status, headers }: Response): number | undefined => {
  const text = headers.get('retry-after')?.trim() ?? '';
  if (text === '' || (status !== 429 && status !== 503)) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  // A date is one of the service's clock.
  const now = Date.parse(headers.get('date') ?? '');
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - (Number.isNaN(now) ? Date.now() : now));
};
