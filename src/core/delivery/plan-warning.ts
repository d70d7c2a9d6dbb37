/** When an endpoint that accepts nothing is warned of, and when it is disabled. */

const hourMs = 3_600_000;

/** Hours of uninterrupted failing after which a warning is recorded, once each. */
export const warningHours: readonly number[] = [24, 48, 72];

/** Longer than any wait of the schedule: who was not even tried for so long begins anew. Milliseconds. */
export const forgottenAfterMs = 48 * hourMs;

export interface Streak {
  /** Since then nothing was accepted of what was tried. */
  readonly failingSince: Date;
  /** The last of `warningHours` that was warned of; 0: none. */
  readonly warnedHours: number;
}

export interface StreakBefore {
  readonly failingSince: Date | null;
  readonly lastFailedAt: Date | null;
  readonly warnedHours: number;
}

/** A failure now goes on with the streak, or begins one. */
export const continueStreak = (before: StreakBefore, now: Date): Streak => {
  const { failingSince, lastFailedAt, warnedHours } = before;
  const isForgotten = lastFailedAt !== null && now.getTime() - lastFailedAt.getTime() > forgottenAfterMs;
  if (failingSince === null || isForgotten) return { failingSince: now, warnedHours: 0 };
  return { failingSince, warnedHours };
};

export interface WarningPlan {
  readonly warnedHours: number;
  readonly act: 'none' | 'warn' | 'disable';
  /** null: never. */
  readonly disablesAt: Date | null;
}

/** `disableAfterMs` null: it is never disabled. Several warnings that are due at once are one, the latest. */
export const planWarning = (
  { failingSince, warnedHours }: Streak,
  now: Date,
  disableAfterMs: number | null,
): WarningPlan => {
  const failingMs = now.getTime() - failingSince.getTime();
  const due = warningHours.findLast((hours) => failingMs >= hours * hourMs) ?? 0;
  const warned = Math.max(warnedHours, due);
  const disablesAt = disableAfterMs === null ? null : new Date(failingSince.getTime() + disableAfterMs);
  const isOver = disableAfterMs !== null && failingMs >= disableAfterMs;
  return {
    warnedHours: warned,
    act: isOver ? 'disable' : due > warnedHours ? 'warn' : 'none',
    disablesAt,
  };
};
