/** What must hold for a whole batch before any of its variants is looked at. */
import { type BatchOrder, maxCells } from '../../core/batch-order.ts';
import type { BatchSize } from '../../core/batches.ts';
import { RendermillError } from '../../core/errors.ts';
import { assertWithinTier, planOutput } from '../../core/plan-output.ts';
import type { Tx } from '../../platform/db/client.ts';
import type { CellTemplate } from '../../platform/db/schema-batches.ts';
import { getOrganization, tierIn } from '../accounts/organizations.ts';
import { ensureUser } from '../accounts/users.ts';
import { type Composition, getComposition } from '../compositions/find-compositions.ts';
import type { Metered } from './limits.ts';

export interface PreparedBatch {
  readonly who: Metered;
  readonly composition: Composition;
  readonly sizes: readonly BatchSize[];
  readonly template: CellTemplate;
}

export const meteredUser = async (tx: Tx, organizationId: string, userId: string): Promise<Metered> => {
  const organization = await getOrganization(tx, organizationId);
  const user = await ensureUser(tx, organizationId, userId);
  return {
    organizationId,
    userId,
    timeZone: organization.time_zone,
    tierName: user.tier,
    tier: tierIn(organization, user.tier),
  };
};

export const shapeOf = (composition: Composition) => ({
  id: composition.id,
  width: composition.width,
  height: composition.height,
  fps: composition.fps,
  durationInFrames: composition.duration_in_frames,
  hasCalculateMetadata: composition.has_calculate_metadata,
});

/**
 * Finds the composition and the user (made at first sight), and holds every size against what can be rendered and what the
 * user's tier allows. Throws `composition_not_found`, and `invalid_dimensions`, `frame_out_of_range`, `size_exceeds_tier` and
 * `duration_exceeds_tier`, which then name the size.
 */
export const prepareBatch = async (
  tx: Tx,
  organizationId: string,
  order: BatchOrder,
): Promise<PreparedBatch> => {
  const composition = await getComposition(tx, organizationId, order.compositionId, order.version);
  const who = await meteredUser(tx, organizationId, order.userId);
  for (const size of order.sizes) assertSize(order, size, composition, who);
  return {
    who,
    composition,
    sizes: order.sizes.map(({ name, width, height, device }) => ({
      name,
      width,
      height,
      device: device ?? null,
    })),
    template: templateOf(order),
  };
};

/** Throws what is wrong with one size, and names it. */
export const assertSize = (
  order: BatchOrder,
  size: BatchOrder['sizes'][number],
  composition: Composition,
  who: Metered,
): void => {
  const { kind, scale, frame, frameRange } = order;
  const asked = { kind, scale, frame, frameRange, width: size.width, height: size.height };
  try {
    assertWithinTier(planOutput(asked, shapeOf(composition)), who.tierName, who.tier);
  } catch (error) {
    if (!(error instanceof RendermillError)) throw error;
    throw new RendermillError(error.code, {
      message: `Size "${size.name}": ${error.message}`,
      details: { ...error.details, size: size.name },
    });
  }
};

export const templateOf = ({ scale, quality, frame, frameRange }: BatchOrder): CellTemplate => ({
  ...(scale === undefined ? {} : { scale }),
  ...(quality === undefined ? {} : { quality }),
  ...(frame === undefined ? {} : { frame }),
  ...(frameRange === undefined ? {} : { frameRange }),
});

/** Throws `invalid_request` where variants × sizes are none or too many. */
export const assertCells = (variants: number, sizes: number): number => {
  const cells = variants * sizes;
  if (cells >= 1 && cells <= maxCells) return cells;
  throw new RendermillError('invalid_request', {
    message: `${variants} variants in ${sizes} sizes are ${cells} cells; a batch has 1 to ${maxCells}. Split it into several.`,
    details: { variants, sizes, cells, maxCells },
  });
};
