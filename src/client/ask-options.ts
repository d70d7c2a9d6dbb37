/** What may be said along with what is asked for. */
export interface AskOptions {
  /** The same key within a day is the same request. */
  readonly idempotencyKey?: string;
  /** Ends the asking, a wait that the service asked for included. What was accepted before goes on until it is canceled. */
  readonly signal?: AbortSignal | undefined;
}

/** Of the request that asks for it. */
export const posting = ({ idempotencyKey, signal }: AskOptions = {}) => ({
  method: 'POST' as const,
  signal,
  ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
});
