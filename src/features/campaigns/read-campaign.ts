import { RendermillError } from '../../core/errors.ts';
import type { ExportStatus } from '../../core/exports.ts';
import {
  type Batch,
  type BatchRun,
  type BatchWithRun,
  getBatch,
  listRuns,
} from '../../domain/batches/batch.ts';
import { type BatchFilter, listBatches } from '../../domain/batches/list-batches.ts';
import { type CellCounts, countCells, listCells } from '../../domain/batches/list-cells.ts';
import { lookUpRendering } from '../../domain/compositions/still-check.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import {
  countNow,
  type PresentedCampaign,
  type PresentedSummary,
  presentCampaign,
  presentCell,
  presentSummary,
} from './present-campaign.ts';

interface ReadDeps {
  readonly db: Database;
  readonly clock: Clock;
}

export interface CellsAsked {
  /** At most so many, but at least all of one variant; 0: none. */
  readonly cells: number;
  readonly cursor?: string | undefined;
  readonly status?: ExportStatus | undefined;
}

/** By its id or the tenant's own name. Throws `not_found`. */
export const readCampaign = async (
  { db, clock }: ReadDeps,
  organizationId: string,
  idOrName: string,
  asked: CellsAsked,
): Promise<PresentedCampaign> => {
  const { batch } = await getBatch(db, organizationId, idOrName);
  const runs = await listRuns(db, batch.id);
  const run = runs.at(-1);
  if (!run) throw new Error(`batch ${batch.id} has no run`);
  const { identical } = await lookUpRendering(db, {
    organizationId,
    version: batch.version,
    compositionId: batch.composition_id,
  });
  const now = clock.now();
  return presentCampaign({ batch, run, runs }, await countAll(db, { batch, run }), {
    identical,
    cells: await readCells(db, { batch, runs, now }, asked),
    now,
  });
};

/** Of a first run the cells need not be read: it has counted them itself. */
const countAll = async (db: Database, { batch, run }: BatchWithRun): Promise<CellCounts> => {
  if (run.run > 1) return countNow(await countCells(db, batch), run);
  const { total, succeeded, failed, canceled, cached } = run;
  return { total, succeeded, failed, canceled, cached };
};

const readCells = async (
  db: Database,
  { batch, runs, now }: { batch: Batch; runs: readonly BatchRun[]; now: Date },
  { cells, cursor, status }: CellsAsked,
): Promise<PresentedCampaign['cells']> => {
  if (cells === 0) return { items: [], nextCursor: null };
  const found = await listCells(db, batch, {
    afterVariant: cursor === undefined ? -1 : decodeCursor(cursor),
    variants: Math.max(1, Math.floor(cells / batch.sizes.length)),
    ...(status === undefined ? {} : { status }),
  });
  const last = found.at(-1);
  // A page that a filter has emptied is the last one, too.
  const isEnd = last === undefined || last.variant === batch.variant_count - 1;
  return {
    items: found.map((cell) => presentCell(cell, runs, now)),
    nextCursor: isEnd ? null : encodeCursor(last.variant),
  };
};

const encodeCursor = (variant: number): string => Buffer.from(`v${variant}`).toString('base64url');

const decodeCursor = (cursor: string): number => {
  const position = /^v(\d{1,6})$/.exec(Buffer.from(cursor, 'base64url').toString('utf8'))?.[1];
  if (position !== undefined) return Number(position);
  throw new RendermillError('invalid_request', {
    message: 'The cursor is not one that this API gave out.',
  });
};

export interface CampaignPage {
  readonly campaigns: PresentedSummary[];
  readonly nextCursor: string | null;
}

/** Newest first. */
export const readCampaigns = async (
  { db, clock }: ReadDeps,
  organizationId: string,
  filter: BatchFilter,
  page: { limit: number; cursor?: string | undefined },
): Promise<CampaignPage> => {
  const { batches, nextCursor } = await listBatches(db, organizationId, filter, page);
  const now = clock.now();
  return { campaigns: batches.map((found) => presentSummary(found, now)), nextCursor };
};
