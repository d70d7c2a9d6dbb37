/**
 * Coming back when the service says so: 429 and 503 with Retry-After, where repeating cannot do anything twice, so many times and for
 * so long as the client is willing to.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from './api-error.ts';

export interface ComeBackOptions {
  /** How often a request is repeated that was refused with 429 or 503 and Retry-After; default 5; 0: never. */
  readonly mostRepeats?: number;
  /** All waits of one request together, milliseconds; default two minutes, 24 days at most. A longer Retry-After is not waited for. */
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

const defaults = { mostRepeats: 5, mostWaitMs: 120_000 };
const idempotentMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);
/** They are answered before anything is done; of any other refusal of a POST nobody knows. */
const nothingWasDone: ReadonlySet<string> = new Set(['rate_limited', 'service_overloaded']);
/** Of all who were told the same second not all should come in it. */
const mostJitterMs = 1_000;

/** Where less is asked for: so long at first, and twice as long each time. */
const leastWaitMs = 1_000;
const mostLeastWaitMs = 30_000;
/** A timer that is given more ends at once. */
export const longestWaitMs = 2 ** 31 - 1;

/** What was asked of a request so far. */
export interface Asked {
  readonly retryAfterMs: number;
  readonly repeats: number;
  readonly waitedMs: number;
}

/** Milliseconds; null: more often, or longer, than the client is willing to. */
export const planWait = (options: ComeBackOptions, asked: Asked): number | null => {
  const mostRepeats = options.mostRepeats ?? defaults.mostRepeats;
  const mostWaitMs = Math.min(options.mostWaitMs ?? defaults.mostWaitMs, longestWaitMs - mostJitterMs);
  const leastMs = Math.min(leastWaitMs * 2 ** asked.repeats, mostLeastWaitMs);
  const waitMs = Math.max(asked.retryAfterMs, leastMs);
  // Said so that a bound which is no number lets nothing through.
  if (!(asked.repeats < mostRepeats && asked.waitedMs + waitMs <= mostWaitMs)) return null;
  return waitMs + Math.random() * Math.min(mostJitterMs, waitMs / 10);
};

const maySafelyRepeat = ({ method, hasIdempotencyKey }: Repeated, { code }: ApiError): boolean =>
  hasIdempotencyKey || idempotentMethods.has(method) || nothingWasDone.has(code);

/** Throws what the last refusal was. */
export const repeatWhenAsked = async <Answer>(
  options: ComeBackOptions,
  request: Repeated,
  ask: () => Promise<Answer>,
): Promise<Answer> => {
  const { signal } = request;
  let waitedMs = 0;
  for (let repeats = 0; ; repeats += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.retryAfterMs === undefined) throw error;
      if (!maySafelyRepeat(request, error)) throw error;
      const waitMs = planWait(options, { retryAfterMs: error.retryAfterMs, repeats, waitedMs });
      if (waitMs === null) throw error;
      waitedMs += waitMs;
      options.onWait?.({ error, waitMs });
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
  const now = readDate(headers.get('date') ?? '');
  const at = readDate(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - (Number.isNaN(now) ? Date.now() : now));
};

/** The three forms of an HTTP date (RFC 9110, 5.6.7); NaN for everything else that Date.parse takes for one, as "-5". */
const readDate = (text: string): number => {
  if (/^[A-Z][a-z]+, .* GMT$/.test(text)) return Date.parse(text);
  return /^[A-Z][a-z]{2} [A-Z][a-z]{2} .* \d{4}$/.test(text) ? Date.parse(`${text} GMT`) : Number.NaN;
};
