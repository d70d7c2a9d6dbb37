import { assertRetryMode, type RenderModes } from '../../core/choose-render-mode.ts';
import { renderModesOf } from '../../domain/accounts/organizations.ts';
import { getBatch } from '../../domain/batches/batch.ts';
import { prepareRetry } from '../../domain/batches/open-run.ts';
import { acceptRun } from '../../domain/exports/accept-run.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import { hashRequest } from '../../domain/exports/idempotency.ts';
import { meteredUser } from '../../domain/exports/prepare-batch.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import { type CampaignAcceptance, presentAcceptance } from './acceptance.ts';
import { type Answered, answerOnce } from './answer-once.ts';

interface RetryDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly renderModes: RenderModes;
  readonly admission: Admission;
}

export interface RetryOrder {
  readonly organizationId: string;
  /** Its id, or the tenant's own name for it. */
  readonly campaign: string;
  readonly idempotencyKey: string | undefined;
  readonly correlationId: string;
}

/**
 * Reserves the cells that failed, all or none, by today's limit and the user's present tier. Throws
 * `render_mode_unavailable`, `render_mode_forbidden`, `batch_running`, `nothing_to_retry`, `service_overloaded`, `daily_limit_reached` and
 * `insufficient_credits`.
 */
export const retryCampaign = async (
  deps: RetryDeps,
  { organizationId, campaign, idempotencyKey, correlationId }: RetryOrder,
): Promise<Answered<CampaignAcceptance>> => {
  await deps.admission.look();
  return answerOnce(
    deps,
    {
      organizationId,
      route: 'POST /api/campaigns/:id/retry',
      key: idempotencyKey,
      requestHash: hashRequest({ campaign }),
    },
    async (tx) => {
      const { batch } = await getBatch(tx, organizationId, campaign);
      assertRetryMode(await renderModesOf(tx, organizationId, deps.renderModes), batch.render_mode);
      const { run, cells } = await prepareRetry(tx, batch);
      deps.admission.assertRoom(cells);
      const who = await meteredUser(tx, organizationId, batch.user_id);
      const now = deps.clock.now();
      const accepted = await acceptRun(tx, who, batch, { run, cells, correlationId }, now);
      deps.admission.take(cells);
      return presentAcceptance(batch, accepted);
    },
  );
};
