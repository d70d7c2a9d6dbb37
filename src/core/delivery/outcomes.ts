/** What can become of a delivery, and of one attempt at it. */

export const deliveryStates = ['pending', 'delivered', 'skipped', 'dead'] as const;
export type DeliveryState = (typeof deliveryStates)[number];

/** Why an attempt failed: the sink is away (it may be back for all), or it does not want this event. */
export type DeliveryFailure = 'unavailable' | 'refused';

/** What a sink says of one event that it was given. */
export type Verdict =
  /** Its acceptance is known. */
  | { readonly type: 'delivered'; readonly status?: number; readonly response?: string }
  /** Not for this sink, and never will be: no consent, too old, without what the sink needs. No attempt was made. */
  | { readonly type: 'skipped'; readonly reason: string }
  /** Not tried, because an earlier one of the same request failed: no attempt is counted, and it comes again at once. */
  | { readonly type: 'postponed' }
  /** The sink answered, and refused this very event. Final: it becomes dead at once; else after its last attempt. */
  | {
      readonly type: 'refused';
      readonly error: string;
      readonly final: boolean;
      readonly status?: number;
      readonly response?: string;
    }
  /** The sink could not be reached, had no time, or was not well: whatever comes next would meet the same. */
  | {
      readonly type: 'unavailable';
      readonly error: string;
      readonly status?: number;
      readonly response?: string;
      /** From Retry-After, milliseconds. */
      readonly retryAfterMs?: number;
    }
  /** The sink will never take anything again (410 Gone): it is disabled. */
  | { readonly type: 'gone'; readonly error: string; readonly status?: number; readonly response?: string };
