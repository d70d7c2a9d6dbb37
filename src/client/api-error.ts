/** What went wrong, as the service says it; the client adds codes of its own only for what no service could say. */
export interface ApiErrorOptions {
  /** Of the service's error catalog, or one of the client's own: `unreachable`, `checksum_mismatch`, `unexpected_answer`. */
  readonly code: string;
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** Name it when you ask the service's operator for help. */
  readonly requestId?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly status: number;
  readonly details: Readonly<Record<string, unknown>> | undefined;
  readonly requestId: string | undefined;
  /** After so many milliseconds the service asks to come back; undefined: it does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(options: ApiErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code;
    this.status = options.status;
    this.details = options.details;
    this.requestId = options.requestId;
    this.retryAfterMs = options.retryAfterMs;
  }

  /** The same request may succeed later: nobody answered, or the service asked to come back. */
  get passing(): boolean {
    return this.status === 0 ? this.code === 'unreachable' : this.status === 429 || this.status >= 500;
  }
}
