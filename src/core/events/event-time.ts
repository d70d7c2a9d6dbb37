/** When an event happened, by a clock that is not ours. */

/** Clocks differ by seconds; whoever is further ahead than this has a wrong one. */
const maxAheadMs = 5 * 60_000;
const earliest = Date.UTC(2000, 0, 1);

export type EventTime =
  /** `claimed`: what the sender's clock said, where ours replaces it; ISO 8601. */
  | { readonly type: 'time'; readonly at: Date; readonly claimed?: string }
  | { readonly type: 'refused'; readonly reason: string };

/** Takes ISO 8601 with a zone, or milliseconds since 1970; absent: now. */
export const judgeEventTime = (given: string | number | undefined, now: Date): EventTime => {
  if (given === undefined) return { type: 'time', at: now };
  const at = new Date(given);
  if (Number.isNaN(at.getTime())) return { type: 'refused', reason: 'timestamp is not a time that exists' };
  if (at.getTime() < earliest) {
    return {
      type: 'refused',
      reason: `timestamp lies before the year 2000: give ISO 8601, or milliseconds${typeof given === 'number' ? ' (these look like seconds)' : ''}`,
    };
  }
  return at.getTime() > now.getTime() + maxAheadMs
    ? { type: 'time', at: now, claimed: at.toISOString() }
    : { type: 'time', at };
};
