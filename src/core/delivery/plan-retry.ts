/**
 * When a delivery that failed is tried again. The schedule is that of the Standard Webhooks specification ("Deliverability and
 * reliability"): ten attempts over about three days.
 */
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** Waits after the 1st, 2nd … failed attempt, milliseconds. After the last attempt a delivery is dead. */
export const retryWaits: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];
export const maxAttempts = retryWaits.length + 1;

/** So that what failed together does not come back together: up to this share longer. */
const jitter = 0.2;
/** A sink may ask for more patience, but not for ever. */
const longestAsked = 24 * hour;

/** Milliseconds until the next attempt, or null after the last one. `chance` in [0, 1) spreads it; `askedMs` is a Retry-After. */
export const planRetry = (failedAttempts: number, chance: number, askedMs = 0): number | null => {
  const wait = retryWaits[failedAttempts - 1];
  if (wait === undefined) return null;
  return Math.round(Math.max(wait * (1 + chance * jitter), Math.min(askedMs, longestAsked)));
};
