import { chooseRenderMode, type RenderModes } from '../../core/choose-render-mode.ts';
import { newId } from '../../core/ids.ts';
import { assertWithinTier, planOutput } from '../../core/plan-output.ts';
import type { RenderRequest } from '../../core/render-request.ts';
import { renderModesOf } from '../../domain/accounts/organizations.ts';
import { getComposition } from '../../domain/compositions/find-compositions.ts';
import { validateProps } from '../../domain/compositions/validate-props.ts';
import { acceptExport } from '../../domain/exports/accept-export.ts';
import type { Admission } from '../../domain/exports/admission.ts';
import { claimIdempotencyKey, hashRequest, storeAnswer } from '../../domain/exports/idempotency.ts';
import { meteredUser, shapeOf } from '../../domain/exports/prepare-batch.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import type { StoredRequest } from '../../platform/db/schema-rendering.ts';

export interface RequestRenderDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly renderModes: RenderModes;
  readonly admission: Admission;
}

export interface RenderOrder {
  readonly organizationId: string;
  readonly request: RenderRequest;
  readonly idempotencyKey: string | undefined;
  readonly correlationId: string;
}

export interface Acceptance extends Record<string, unknown> {
  readonly id: string;
  readonly status: 'queued';
  readonly version: string;
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: string;
}

const route = 'POST /api/render';

/**
 * Accepts a render in one transaction, or refuses it and leaves no trace. The same idempotency key gives the same answer and no
 * second render. Throws `render_mode_unavailable`, `render_mode_forbidden` and `service_overloaded` beside what the composition and the
 * limits refuse.
 */
export const requestRender = async (
  deps: RequestRenderDeps,
  order: RenderOrder,
): Promise<{ answer: Acceptance; replayed: boolean }> => {
  await deps.admission.look();
  return deps.db.transaction().execute(async (tx) => {
    if (order.idempotencyKey === undefined) return { answer: await accept(tx, deps, order), replayed: false };
    const scope = {
      organizationId: order.organizationId,
      route,
      key: order.idempotencyKey,
      requestHash: hashRequest(order.request),
    };
    const before = await claimIdempotencyKey(tx, scope, deps.clock.now());
    if (before) return { answer: before as Acceptance, replayed: true };
    const answer = await accept(tx, deps, order);
    await storeAnswer(tx, scope, answer);
    return { answer, replayed: false };
  });
};

const accept = async (
  tx: Tx,
  deps: RequestRenderDeps,
  { organizationId, request, correlationId }: RenderOrder,
): Promise<Acceptance> => {
  const now = deps.clock.now();
  const modes = await renderModesOf(tx, organizationId, deps.renderModes);
  const renderMode = chooseRenderMode(modes, request.renderMode);
  deps.admission.assertRoom(1);
  const composition = await getComposition(tx, organizationId, request.compositionId, request.version);
  validateProps(composition, request.props);
  const planned = planOutput(request, shapeOf(composition));
  const who = await meteredUser(tx, organizationId, request.userId);
  assertWithinTier(planned, who.tierName, who.tier);
  const accepted = await acceptExport(
    tx,
    who,
    {
      id: newId(now),
      projectId: request.projectId,
      kind: request.kind,
      format: request.format,
      renderMode,
      compositionId: composition.id,
      version: composition.version,
      request: storedRequest(request),
      planned,
      priority: 0,
      correlationId,
    },
    now,
  );
  deps.admission.take(1);
  const { limit, remaining, resetAt } = accepted.reservation;
  return {
    id: accepted.export.id,
    status: 'queued',
    version: composition.version,
    limit,
    remaining,
    resetAt: resetAt.toISOString(),
  };
};

const storedRequest = (request: RenderRequest): StoredRequest => ({
  props: request.props,
  ...(request.width === undefined ? {} : { width: request.width }),
  ...(request.height === undefined ? {} : { height: request.height }),
  ...(request.scale === undefined ? {} : { scale: request.scale }),
  ...(request.quality === undefined ? {} : { quality: request.quality }),
  ...(request.frame === undefined ? {} : { frame: request.frame }),
  ...(request.frameRange === undefined ? {} : { frameRange: request.frameRange }),
});
