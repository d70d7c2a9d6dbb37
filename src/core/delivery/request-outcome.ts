/** What a request with several events came to, before it is known of each of them. */
import type { Verdict } from './outcomes.ts';

/** The answer of a server, as far as it was read. */
export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** From Retry-After, milliseconds. */
  readonly retryAfterMs?: number;
}

export type RequestOutcome =
  /** Every event of the request is accepted. */
  | { readonly type: 'accepted'; readonly status: number; readonly response: string }
  /** One of the events, which the answer does not name, is not wanted. `final`: it never will be. */
  | {
      readonly type: 'rejected';
      readonly error: string;
      readonly final: boolean;
      readonly status: number;
      readonly response: string;
    }
  | Extract<Verdict, { type: 'unavailable' | 'postponed' }>;
