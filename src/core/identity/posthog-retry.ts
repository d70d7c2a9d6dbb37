/** When PostHog is asked again to delete a person. */

const minute = 60_000;
const hour = 60 * minute;

/** After the first, the second … failure; then the last one again and again. */
const delaysMs = [minute, 5 * minute, 15 * minute, hour, 3 * hour, 6 * hour, 12 * hour] as const;

/** A person who asks to be forgotten must be within a month (GDPR, article 12); by then somebody has to look. */
export const posthogPatienceMs = 25 * 24 * hour;

/** null: no more. `failures` counts this one, `waitedMs` is the time since the first attempt. */
export const posthogRetryDelayMs = (failures: number, waitedMs: number): number | null => {
  if (waitedMs >= posthogPatienceMs) return null;
  return delaysMs[Math.min(Math.max(failures, 1), delaysMs.length) - 1] ?? hour;
};
