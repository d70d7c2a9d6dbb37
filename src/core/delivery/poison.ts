/** An event that an endpoint will not take, whatever else it takes: it need not hold up its line for three days. */

/** These speak of the event; 401, 404 and the like of the endpoint. */
const aboutTheEvent: ReadonlySet<number> = new Set([400, 413, 422]);

/** So many refusals by the schedule: over about two and a half hours. */
export const poisonAttempts = 5;

export interface EarlierAttempt {
  readonly at: Date;
  /** HTTP status; absent: there was no answer. */
  readonly status?: number | undefined;
}

export interface RefusedEvent {
  /** HTTP status of this refusal. */
  readonly status: number | undefined;
  /** Those before it, the oldest first. */
  readonly earlier: readonly EarlierAttempt[];
  /** When the endpoint last accepted an event; null: never. */
  readonly acceptedAt: Date | null;
}

/**
 * Whether this refusal is the one that makes it poison: the fifth or later that speaks of the event, while the endpoint has accepted
 * others since the one before. An endpoint that fails as a whole accepts none, and its events keep their whole schedule.
 */
export const isPoison = ({ status, earlier, acceptedAt }: RefusedEvent): boolean => {
  if (status === undefined || !aboutTheEvent.has(status)) return false;
  const refusals = earlier.filter((one) => one.status !== undefined && aboutTheEvent.has(one.status)).length;
  const previous = earlier.at(-1);
  return (
    refusals + 1 >= poisonAttempts &&
    previous !== undefined &&
    acceptedAt !== null &&
    acceptedAt.getTime() > previous.at.getTime()
  );
};
