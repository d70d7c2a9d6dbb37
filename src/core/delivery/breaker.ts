/**
 * The circuit breaker of a sink: after some failures in a row nothing is tried for a while, then one delivery is, whose success
 * closes it. Its state is a row, so that all dispatchers share it and a restart keeps it.
 */

/** Failures in a row that open it. */
export const breakerThreshold = 5;
const shortestOpenMs = 1_000;
const longestOpenMs = 60_000;
const longestAskedMs = 3_600_000;

/** How long it stays open after so many failures in a row, milliseconds; 0: it is closed. A Retry-After opens it at once. */
export const openFor = (consecutiveFailures: number, askedMs = 0): number => {
  const over = consecutiveFailures - breakerThreshold;
  const own = over < 0 ? 0 : Math.min(longestOpenMs, shortestOpenMs * 2 ** Math.min(over, 30));
  return Math.max(own, Math.min(askedMs, longestAskedMs));
};

export type BreakerState = 'closed' | 'open' | 'half_open';

/** Half open: the next delivery tells whether the sink is back. */
export const breakerState = (
  sink: { readonly consecutiveFailures: number; readonly openUntil: Date | null },
  now: Date,
): BreakerState => {
  if (sink.openUntil !== null && sink.openUntil > now) return 'open';
  return sink.consecutiveFailures >= breakerThreshold ? 'half_open' : 'closed';
};
