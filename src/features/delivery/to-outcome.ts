import type { Verdict } from '../../core/delivery/outcomes.ts';
import { maxAttempts, planRetry } from '../../core/delivery/plan-retry.ts';
import { cutText, storableText } from '../../core/storable-text.ts';
import type { DueDelivery } from '../../domain/deliveries/due-deliveries.ts';
import type { Outcome } from '../../domain/deliveries/outcome.ts';
import type { LoggedAttempt } from '../../platform/db/schema-events.ts';

export interface Attempted {
  readonly startedAt: Date;
  readonly ms: number;
  /** In [0, 1), the same for all that were tried together: what waits in one lane must not change its order. */
  readonly chance: number;
}

/** What the log of attempts keeps of another server's words. */
const keptBytes = 1_000;
const kept = (text: string): string => storableText(cutText(text, keptBytes));

const logged = (
  verdict: Exclude<Verdict, { type: 'skipped' | 'postponed' }>,
  { startedAt, ms }: Attempted,
): LoggedAttempt => ({
  at: startedAt.toISOString(),
  ms: Math.round(ms),
  outcome: verdict.type === 'gone' ? 'refused' : verdict.type,
  ...(verdict.status === undefined ? {} : { status: verdict.status }),
  ...('error' in verdict ? { error: kept(verdict.error) } : {}),
  ...(verdict.response ? { response: kept(verdict.response) } : {}),
});

const ended = (
  delivery: DueDelivery,
  state: 'delivered' | 'skipped' | 'dead',
  rest: Partial<Outcome>,
): Outcome => ({
  delivery,
  state,
  nextAt: null,
  failure: null,
  reason: null,
  attempt: null,
  ...rest,
});

/** null: it was not tried, and stays as it is. */
export const toOutcome = (
  delivery: DueDelivery,
  verdict: Verdict,
  attempted: Attempted,
  now: Date,
): Outcome | null => {
  if (verdict.type === 'postponed') return null;
  if (verdict.type === 'skipped') return ended(delivery, 'skipped', { reason: kept(verdict.reason) });
  const attempt = logged(verdict, attempted);
  if (verdict.type === 'delivered') return ended(delivery, 'delivered', { attempt });
  // What is gone counts as refused: it waits for when the endpoint is enabled again.
  const failure = verdict.type === 'unavailable' ? 'unavailable' : 'refused';
  const reason = kept(verdict.error);
  const attempts = delivery.attempts + 1;
  const final = verdict.type === 'refused' && verdict.final;
  const asked = verdict.type === 'unavailable' ? verdict.retryAfterMs : undefined;
  const wait = final ? null : planRetry(attempts, attempted.chance, asked);
  if (wait === null) {
    const last = final ? '' : `The last of ${maxAttempts} attempts failed: `;
    return ended(delivery, 'dead', { failure, reason: last + reason, attempt });
  }
  return { delivery, state: 'pending', nextAt: new Date(now.getTime() + wait), failure, reason, attempt };
};
