import { posthogRetryDelayMs } from '../../core/identity/posthog-retry.ts';
import {
  changeErasure,
  closeErasure,
  type Erasure,
  holdAttempt,
  takeErasure,
} from '../../domain/identity/erasures.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import { askPosthog, canAskPosthog, type PosthogConfig, type PosthogReply } from './ask-posthog.ts';
import { eraseStep } from './erase-step.ts';

export interface ErasureDeps {
  readonly db: Database;
  readonly log: Logger;
  readonly config: PosthogConfig;
}

/** Transactions of one call: whoever calls has other things to do, too. */
const maxSteps = 100;
/** One that fails must not keep the others waiting. */
const failedStepMs = 60_000;

const settle = async (
  { db, log }: ErasureDeps,
  asked: Erasure,
  reply: PosthogReply,
  now: Date,
): Promise<void> => {
  await db.transaction().execute(async (tx) => {
    const erasure = await holdAttempt(tx, asked);
    if (!erasure) return;
    await changeErasure(tx, erasure, {
      posthog_request: JSON.stringify(reply.request),
      posthog_answer: JSON.stringify({ at: now.toISOString(), ...reply.answer }),
    });
    if (reply.accepted) return closeErasure(tx, erasure, 'done', now);
    const waitedMs = now.getTime() - (erasure.log_done_at ?? now).getTime();
    const delayMs = posthogRetryDelayMs(erasure.posthog_attempts, waitedMs);
    const about = { erasure: erasure.id, organization: erasure.organization_id, answer: reply.answer };
    if (delayMs === null) {
      log.error(about, 'PostHog was asked for weeks to delete a person, and did not take it');
      return changeErasure(tx, erasure, { posthog_state: 'failed' });
    }
    log.warn(about, 'PostHog did not take the deletion of a person; it is asked again');
    return changeErasure(tx, erasure, { next_at: new Date(now.getTime() + delayMs) });
  });
};

const ask = async (deps: ErasureDeps, asked: Erasure, now: Date): Promise<void> => {
  const ids = [...(asked.user_id === null ? [] : [asked.user_id]), ...asked.distinct_ids];
  const question = { organizationId: asked.organization_id, ids, pseudonym: asked.pseudonym };
  await settle(deps, asked, await askPosthog(deps.config, question), now);
};

/** Whether to go on at once: PostHog may hang, and is asked once in a call. */
const runStep = async (deps: ErasureDeps, now: Date): Promise<boolean> => {
  let taken: Erasure | undefined;
  let asked: Erasure | null = null;
  try {
    asked = await deps.db.transaction().execute(async (tx) => {
      taken = await takeErasure(tx, now);
      return taken ? eraseStep(tx, taken, { canAskPosthog: canAskPosthog(deps.config), now }) : null;
    });
  } catch (error) {
    if (!taken) throw error;
    await postpone(deps, taken, error, now);
  }
  if (asked) await ask(deps, asked, now);
  return taken !== undefined && !asked;
};

const postpone = async (
  { db, log }: ErasureDeps,
  taken: Erasure,
  error: unknown,
  now: Date,
): Promise<void> => {
  log.error({ err: error, erasure: taken.id }, 'a step of an erasure failed; it is tried again');
  const next_at = new Date(now.getTime() + failedStepMs);
  await db.transaction().execute((tx) => changeErasure(tx, taken, { next_at }));
};

/**
 * Works on what is due, for a bounded time, most of it that of one request to PostHog; to be called every few seconds, by any number of processes. A process that dies leaves
 * nothing half-done: the next call goes on with the batch that was not committed, and asks PostHog again after five minutes.
 */
export const runErasures = async (deps: ErasureDeps, now: Date): Promise<void> => {
  for (let step = 0; step < maxSteps; step += 1) {
    if (!(await runStep(deps, now))) return;
  }
};
