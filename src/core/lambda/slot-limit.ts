/**
 * How many functions may run at once, learned from AWS: others use the account as well, and nobody tells us how much. A throttled
 * call shrinks the limit by a factor, and every while without one lets it grow by a step, up to the ceiling (additive increase,
 * multiplicative decrease: Chiu and Jain 1989).
 */

export interface SlotLimit {
  readonly limit: number;
  /** What the account has for us: `LAMBDA_SLOTS`. */
  readonly ceiling: number;
  readonly throttledAt: Date | null;
  /** Up to when its growth is counted. */
  readonly grownAt: Date;
}

/** Of what was in use when AWS refused. */
const shrinkTo = 0.7;
/** A render that goes wide is refused many times in one moment, and several renders with it. */
const burstMs = 15_000;
/** A hundredth of the ceiling in ten seconds: what was lost to a burst is tried again after some minutes. */
const growEveryMs = 10_000;
const growShare = 0.01;
/** AWS gives it to an account that it knows nothing of; one render always runs. */
const floor = 10;

export const openLimit = (ceiling: number, now: Date): SlotLimit => ({
  limit: ceiling,
  ceiling,
  throttledAt: null,
  grownAt: now,
});

/** After an operator has changed the ceiling. A limit that nothing had shrunk goes along at once. */
export const underCeiling = (state: SlotLimit, ceiling: number): SlotLimit => {
  if (ceiling === state.ceiling) return state;
  const limit = state.limit === state.ceiling ? ceiling : Math.min(state.limit, ceiling);
  return { ...state, limit, ceiling };
};

/**
 * After AWS refused a function while `used` slots were taken: the limit may have been far above what was in use. Refusals within one
 * burst count once.
 */
export const shrink = (state: SlotLimit, used: number, now: Date): SlotLimit => {
  if (state.throttledAt !== null && now.getTime() - state.throttledAt.getTime() < burstMs) return state;
  const wanted = Math.round(Math.min(state.limit, used) * shrinkTo);
  const limit = Math.min(state.limit, Math.max(wanted, Math.min(floor, state.ceiling)));
  return { ...state, limit, throttledAt: now, grownAt: now };
};

/** What the time without a refusal has earned. The same state where that is nothing. */
export const grow = (state: SlotLimit, now: Date): SlotLimit => {
  const steps = Math.floor((now.getTime() - state.grownAt.getTime()) / growEveryMs);
  if (state.limit >= state.ceiling || steps <= 0) return state;
  const step = Math.max(1, Math.round(state.ceiling * growShare));
  return {
    ...state,
    limit: Math.min(state.ceiling, state.limit + steps * step),
    grownAt: new Date(state.grownAt.getTime() + steps * growEveryMs),
  };
};
