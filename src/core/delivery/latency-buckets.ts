/** Upper bounds of the histogram of delivery latency, seconds; one more bucket has what lies above. */
export const latencyBounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 3_600, 86_400] as const;

/** How many fell into each bucket. */
export const countLatencies = (latenciesMs: readonly number[]): number[] => {
  const counts = new Array<number>(latencyBounds.length + 1).fill(0);
  for (const ms of latenciesMs) {
    const at = latencyBounds.findIndex((bound) => ms / 1000 <= bound);
    const bucket = at < 0 ? latencyBounds.length : at;
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  return counts;
};
