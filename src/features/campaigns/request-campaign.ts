import type { CampaignRequest } from '../../core/campaign-request.ts';
import { chooseRenderMode, type RenderModes } from '../../core/choose-render-mode.ts';
import { newId } from '../../core/ids.ts';
import { renderModesOf } from '../../domain/accounts/organizations.ts';
import { addVariants, stageBatch } from '../../domain/batches/stage-batch.ts';
import { getComposition } from '../../domain/compositions/find-compositions.ts';
import { acceptRun } from '../../domain/exports/accept-run.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import { findAnswer, hashLargeRequest, isKnownKey } from '../../domain/exports/idempotency.ts';
import { assertCells, prepareBatch } from '../../domain/exports/prepare-batch.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { createPause } from '../../platform/clock/pause.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import { type CampaignAcceptance, presentAcceptance } from './acceptance.ts';
import { type Answered, answerOnce } from './answer-once.ts';
import { judgeVariants, refusalOf } from './judge-variants.ts';

export interface CampaignDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly renderModes: RenderModes;
  readonly admission: Admission;
}

export interface CampaignOrder {
  readonly organizationId: string;
  readonly request: CampaignRequest;
  readonly idempotencyKey: string | undefined;
  readonly correlationId: string;
  /** The client has left: its variants need not be judged. */
  readonly signal: AbortSignal;
}

const route = 'POST /api/campaigns';

/**
 * Accepts a campaign in one transaction, every cell reserved, or refuses it and leaves no trace. The same idempotency key gives the
 * same answer and no second campaign. Throws `render_mode_unavailable`, `render_mode_forbidden` and `service_overloaded` beside what the
 * composition and the limits refuse.
 */
export const requestCampaign = async (
  deps: CampaignDeps,
  order: CampaignOrder,
): Promise<Answered<CampaignAcceptance>> => {
  const { organizationId, request, idempotencyKey: key } = order;
  const requestHash = key === undefined ? '' : await hashLargeRequest(request, createPause());
  if (key !== undefined) {
    const before = await findAnswer(deps.db, { organizationId, route, key, requestHash }, deps.clock.now());
    if (before) return { answer: before as CampaignAcceptance, replayed: true };
  }
  // A hundred thousand variants would be judged in vain where there is no room.
  await deps.admission.look();
  deps.admission.assertRoom(request.variants.length * request.sizes.length);
  const judged = await judge(deps.db, order).catch((error: unknown) => ({ error }));
  order.signal.throwIfAborted();
  // The judging may have taken a while.
  await deps.admission.look();
  return answerOnce(deps, { organizationId, route, key, requestHash }, (tx) => {
    if ('error' in judged) throw judged.error;
    return accept(tx, deps, order, judged.version);
  });
};

/**
 * Ahead of the body, which may take a while: throws `service_overloaded` where not even one cell has room, unless the key is known,
 * whose body then decides.
 */
export const assertAnyRoom = async (
  { db, clock, admission }: CampaignDeps,
  { organizationId, idempotencyKey: key }: Pick<CampaignOrder, 'organizationId' | 'idempotencyKey'>,
): Promise<void> => {
  await admission.look();
  if (admission.refusalOf(1) === null) return;
  if (key !== undefined && (await isKnownKey(db, { organizationId, route, key }, clock.now()))) return;
  admission.assertAnyRoom();
};

/** Ahead of the transaction: a hundred thousand variants take seconds, in which nothing may be locked. */
const judge = async (
  db: Database,
  { organizationId, request, signal }: CampaignOrder,
): Promise<{ version: string }> => {
  assertCells(request.variants.length, request.sizes.length);
  const composition = await getComposition(db, organizationId, request.compositionId, request.version);
  const refusal = refusalOf(composition, await judgeVariants(composition, request.variants, signal));
  if (refusal) throw refusal;
  return { version: composition.version };
};

/** `version`: the one whose schema has judged, should a newer one be registered meanwhile. */
const accept = async (
  tx: Tx,
  deps: CampaignDeps,
  { organizationId, request, correlationId }: CampaignOrder,
  version: string,
): Promise<CampaignAcceptance> => {
  const now = deps.clock.now();
  const modes = await renderModesOf(tx, organizationId, deps.renderModes);
  const renderMode = chooseRenderMode(modes, request.renderMode);
  const cells = request.variants.length * request.sizes.length;
  deps.admission.assertRoom(cells);
  const { who, composition, sizes, template } = await prepareBatch(tx, organizationId, {
    ...request,
    version,
  });
  const id = newId(now);
  const batch = { id, project_id: request.projectId, campaign_id: request.campaignId ?? null, version };
  await stageBatch(
    tx,
    {
      id,
      organizationId,
      userId: request.userId,
      projectId: request.projectId,
      jobType: 'campaign',
      campaignId: batch.campaign_id,
      kind: request.kind,
      format: request.format,
      renderMode,
      compositionId: composition.id,
      version,
      template,
      sizes,
      reuse: request.reuse,
    },
    now,
  );
  await addVariants(
    tx,
    id,
    request.variants.map(({ name, locale, props }) => ({ name, locale: locale ?? null, props, line: null })),
  );
  const accepted = await acceptRun(tx, who, batch, { run: 1, cells, correlationId }, now);
  deps.admission.take(cells);
  return presentAcceptance(batch, accepted);
};
