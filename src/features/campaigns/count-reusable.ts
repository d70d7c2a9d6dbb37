import type { CampaignRequest } from '../../core/campaign-request.ts';
import type { Composition } from '../../domain/compositions/find-compositions.ts';
import { lookUpRendering } from '../../domain/compositions/still-check.ts';
import { contentHash } from '../../domain/exports/content-hash.ts';
import { findReusable } from '../../domain/exports/find-reusable.ts';
import { cellRequest } from '../../domain/exports/plan-cells.ts';
import { templateOf } from '../../domain/exports/prepare-batch.ts';
import type { Database } from '../../platform/db/client.ts';

/** So many names are made and looked up at a time; other requests get their turn in between. */
const cellsALook = 500;

/**
 * Cells whose file is recorded already; whether it is still in storage is only looked at when it is used. Null where no worker has
 * shown yet which renderer it has.
 */
export const countReusable = async (
  db: Database,
  composition: Composition,
  request: CampaignRequest,
  now: Date,
): Promise<number | null> => {
  if (!request.reuse) return 0;
  const { organization_id: organizationId, version, id: compositionId } = composition;
  const { rendererVersion } = await lookUpRendering(db, { organizationId, version, compositionId });
  if (rendererVersion === undefined) return null;
  const template = templateOf(request);
  const { kind, format } = request;
  const hashAt = (cell: number): string => {
    const size = request.sizes[cell % request.sizes.length] ?? { width: 0, height: 0 };
    const props = request.variants[Math.floor(cell / request.sizes.length)]?.props ?? {};
    const order = { version, composition_id: compositionId, kind, format };
    return contentHash({ ...order, request: cellRequest(template, size, props) }, rendererVersion);
  };
  const cells = request.variants.length * request.sizes.length;
  let count = 0;
  for (let from = 0; from < cells; from += cellsALook) {
    const hashes = Array.from({ length: Math.min(cellsALook, cells - from) }, (_, index) =>
      hashAt(from + index),
    );
    const files = await findReusable(db, organizationId, hashes, now);
    const known = new Set(files.map((file) => file.contentHash));
    count += hashes.filter((hash) => known.has(hash)).length;
  }
  return count;
};
