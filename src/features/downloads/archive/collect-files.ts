import { maxArchiveFiles } from '../../../core/archive/archive-file.ts';
import type { ManifestCampaign, ManifestFailure } from '../../../core/archive/manifest.ts';
import { isClosed } from '../../../core/batches.ts';
import { errorCatalog, RendermillError } from '../../../core/errors.ts';
import { type FoundFile, findFiles } from '../../../domain/artifacts/find-files.ts';
import { isExpired } from '../../../domain/artifacts/retention.ts';
import { type Batch, type BatchRun, getBatch } from '../../../domain/batches/batch.ts';
import { type Cell, listCells } from '../../../domain/batches/list-cells.ts';
import type { Database } from '../../../platform/db/client.ts';
import type { ArchiveOrder } from './archive-order.ts';

export interface Collection {
  /** At least one. */
  readonly files: readonly FoundFile[];
  readonly failures: readonly ManifestFailure[];
  /** Cells that had not come to their end yet. */
  readonly unfinished: number;
  /** Null: of a list of files. */
  readonly campaign: ManifestCampaign | null;
  /** When the batch closed, else when the newest file was made. */
  readonly madeAt: Date;
}

/**
 * Files that have expired are left out, and named among the failures. Throws `not_found`, `batch_running`, `nothing_to_download`,
 * `file_expired` where nothing else is left, and `invalid_request` for more than an archive holds.
 */
export const collectFiles = async (
  db: Database,
  organizationId: string,
  { source, partial, includeManifest }: ArchiveOrder,
  now: Date,
): Promise<Collection> => {
  if (source.type === 'files') {
    const cells = withoutExpired(
      { files: await findFiles(db, organizationId, source.fileIds), failures: [], unfinished: 0 },
      now,
    );
    return { ...cells, campaign: null, madeAt: newest(cells.files) };
  }
  const { batch, run } = await getBatch(db, organizationId, source.batch);
  if (!partial) refuseRunning(run);
  const cells = withoutExpired(await collectCells(db, batch, includeManifest), now);
  if (cells.files.length === 0) {
    throw new RendermillError('nothing_to_download', {
      message: `The campaign has no finished file: ${cells.failures.length} failed or were canceled, ${cells.unfinished} are not done yet.`,
      details: { failed: cells.failures.length, unfinished: cells.unfinished },
    });
  }
  return {
    ...cells,
    campaign: { id: batch.id, campaignId: batch.campaign_id, run: run.run },
    madeAt: isClosed(run.status) && run.closed_at !== null ? run.closed_at : newest(cells.files),
  };
};

const withoutExpired = (cells: CellFiles, now: Date): CellFiles => {
  const expired = cells.files.filter(({ artifact }) => isExpired(artifact, now));
  if (expired.length === 0) return cells;
  const files = cells.files.filter(({ artifact }) => !isExpired(artifact, now));
  if (files.length === 0) throw allExpired(expired.length);
  return { ...cells, files, failures: [...cells.failures, ...expired.map(expiredOf)] };
};

const allExpired = (count: number) =>
  new RendermillError('file_expired', {
    message: `All ${count} files were removed when their tier's retention ended. Render them again.`,
    details: { expired: count },
  });

const expiredOf = ({ artifact, variant, compositionId, locale, size }: FoundFile): ManifestFailure => ({
  fileId: artifact.file_id,
  variant: variant ?? compositionId,
  locale,
  size: size ?? `${artifact.width}x${artifact.height}`,
  code: 'file_expired',
  message: errorCatalog.file_expired.text,
});

const newest = (files: readonly FoundFile[]): Date =>
  new Date(files.reduce((latest, { artifact }) => Math.max(latest, artifact.created_at.getTime()), 0));

const refuseRunning = (run: BatchRun): void => {
  if (isClosed(run.status)) return;
  const done = run.succeeded + run.failed + run.canceled;
  throw new RendermillError('batch_running', {
    message: `The campaign is still running: ${done} of ${run.total} are done. Wait for its end, or add partial=true for what there is.`,
    details: { done, total: run.total, status: run.status },
  });
};

/** Cells of one read. */
const pageCells = 2000;

type CellFiles = Pick<Collection, 'files' | 'failures' | 'unfinished'>;

const collectCells = async (db: Database, batch: Batch, withProps: boolean): Promise<CellFiles> => {
  const files: FoundFile[] = [];
  const failures: ManifestFailure[] = [];
  let unfinished = 0;
  const variants = Math.max(1, Math.floor(pageCells / batch.sizes.length));
  let afterVariant = -1;
  for (;;) {
    const cells = await listCells(db, batch, { afterVariant, variants });
    for (const cell of cells) {
      if (cell.artifact) files.push(fileOf(batch, cell, cell.artifact, withProps));
      else if (cell.status === 'failed' || cell.status === 'canceled') failures.push(failureOf(cell));
      else unfinished += 1;
    }
    if (files.length > maxArchiveFiles) throw tooMany();
    const last = cells.at(-1);
    if (last === undefined) return { files, failures, unfinished };
    afterVariant = last.variant;
  }
};

const tooMany = () =>
  new RendermillError('invalid_request', {
    message: `The campaign has more than ${maxArchiveFiles} files, which is what one archive holds. Ask for its files in parts, by fileIds.`,
    details: { limit: maxArchiveFiles },
  });

const fileOf = (
  batch: Batch,
  cell: Cell,
  artifact: FoundFile['artifact'],
  withProps: boolean,
): FoundFile => ({
  artifact,
  userId: batch.user_id,
  compositionId: batch.composition_id,
  format: batch.format,
  props: withProps ? cell.props : {},
  cached: cell.cached,
  variant: cell.variantName,
  locale: cell.locale,
  size: cell.size.name,
  device: cell.size.device,
});

const failureOf = (cell: Cell): ManifestFailure => ({
  variant: cell.variantName,
  locale: cell.locale,
  size: cell.size.name,
  ...(cell.error ?? { code: 'render_canceled', message: 'The export was canceled.' }),
});
