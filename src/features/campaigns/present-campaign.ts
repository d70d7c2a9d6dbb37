/** A campaign, or a CSV import, as the API shows it. */
import { z } from 'zod';
import { jobTypes, runStatuses } from '../../core/batches.ts';
import { exportStatuses, renderModes } from '../../core/exports.ts';
import { exportKinds, stillFormats, videoFormats } from '../../core/output.ts';
import type { Batch, BatchRun, BatchWithRun } from '../../domain/batches/batch.ts';
import type { Cell, CellCounts } from '../../domain/batches/list-cells.ts';
import { fileSchema, presentFile } from '../../domain/exports/present-export.ts';
import { presentRun, presentRunProgress, runProgressSchema, runSchema } from './present-run.ts';

const time = z.iso.datetime();

export const sizeSchema = z.object({
  name: z.string(),
  width: z.int().describe('Pixels of the layout'),
  height: z.int(),
  device: z.string().nullable(),
});

const summaryShape = {
  id: z.uuid(),
  campaignId: z.string().nullable().describe("The tenant's own name for it"),
  jobType: z.enum(jobTypes),
  status: z.enum(runStatuses).describe('Of the last run'),
  userId: z.string(),
  projectId: z.string(),
  compositionId: z.string(),
  version: z.string(),
  kind: z.enum(exportKinds),
  format: z.enum([...stillFormats, ...videoFormats]),
  renderMode: z.enum(renderModes),
  variants: z.int(),
  sizes: z.array(sizeSchema),
  reuse: z.boolean(),
  progress: runProgressSchema.describe('Of the last run'),
  createdAt: time,
  closedAt: time.nullable(),
  zipPath: z.string().nullable().describe('All of its files as one archive; null while it runs'),
};

export const summarySchema = z.object(summaryShape).meta({ id: 'CampaignSummary' });

export const cellSchema = z
  .object({
    variant: z.string(),
    variantIndex: z.int().describe('Position in the request, from 0'),
    locale: z.string().nullable(),
    line: z.int().nullable().describe('Of an import: the line of the file'),
    size: z.string(),
    device: z.string().nullable(),
    run: z.int().describe('The last one that it was part of'),
    status: z.enum(['waiting', ...exportStatuses]).describe('waiting: reserved, and no export yet'),
    exportId: z.uuid().nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    cached: z.boolean().describe('An earlier, identical file that was used again'),
    file: fileSchema.nullable(),
  })
  .meta({ id: 'CampaignCell' });

export const campaignSchema = z
  .object({
    ...summaryShape,
    counts: z
      .object({
        total: z.int(),
        done: z.int(),
        succeeded: z.int(),
        failed: z.int(),
        canceled: z.int(),
        cached: z.int(),
      })
      .describe('Of all cells, each as its last run left it'),
    rendering: z
      .object({
        how: z.enum(['together', 'one by one', 'a function each', 'not known yet']),
        reason: z.string(),
      })
      .nullable()
      .describe('How its stills are rendered; null for videos'),
    runs: z.array(runSchema),
    report: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe('Of an import: the file, its rows, and those that were refused'),
    cells: z.object({
      items: z.array(cellSchema),
      nextCursor: z.string().nullable().describe('Null at the end'),
    }),
  })
  .meta({ id: 'Campaign', description: 'The campaign, its runs, and a page of its cells' });

export type PresentedCampaign = z.infer<typeof campaignSchema>;
export type PresentedSummary = z.infer<typeof summarySchema>;
export type PresentedCell = z.infer<typeof cellSchema>;

export const presentSummary = ({ batch, run }: BatchWithRun, now: Date): PresentedSummary => ({
  id: batch.id,
  campaignId: batch.campaign_id,
  jobType: batch.job_type,
  status: run.status,
  userId: batch.user_id,
  projectId: batch.project_id,
  compositionId: batch.composition_id,
  version: batch.version,
  kind: batch.kind,
  format: batch.format,
  renderMode: batch.render_mode,
  variants: batch.variant_count,
  sizes: [...batch.sizes],
  reuse: batch.reuse,
  progress: presentRunProgress(run, now),
  createdAt: batch.created_at.toISOString(),
  closedAt: run.closed_at?.toISOString() ?? null,
  zipPath: run.closed_at === null ? null : `/api/export/zip?campaignId=${batch.id}`,
});

const ways = {
  together: 'Many in one page: a picture that was rendered both ways came out the same.',
  'one by one':
    'Each in a page of its own: a picture of many differed from the same rendered alone, so the composition keeps state outside of its components or is not deterministic. This takes several times as long.',
  'a function each':
    'On Lambda each picture has a function and a browser of its own. How long it takes is estimated after the first of them.',
  'not known yet': 'No worker has rendered a picture of this version both ways yet; the first group will.',
} as const;

const renderingOf = (batch: Batch, identical: boolean | undefined) => {
  if (batch.kind === 'video') return null;
  const how = batch.render_mode === 'lambda' ? 'a function each' : wayOf(identical);
  return { how, reason: ways[how] } as const;
};

const wayOf = (identical: boolean | undefined) => {
  if (identical === undefined) return 'not known yet';
  return identical ? 'together' : 'one by one';
};

export const presentCampaign = (
  found: BatchWithRun & { readonly runs: readonly BatchRun[] },
  counts: CellCounts,
  given: { readonly identical: boolean | undefined; readonly cells: PresentedCampaign['cells']; now: Date },
): PresentedCampaign => ({
  ...presentSummary(found, given.now),
  counts: { ...counts, done: counts.succeeded + counts.failed + counts.canceled },
  rendering: renderingOf(found.batch, given.identical),
  runs: found.runs.map(presentRun),
  report: found.batch.report,
  cells: given.cells,
});

/** A cell whose export is not there, or not there yet, is what its run says of it. */
export const presentCell = (cell: Cell, runs: readonly BatchRun[], now: Date): PresentedCell => {
  const shown = {
    variant: cell.variantName,
    variantIndex: cell.variant,
    locale: cell.locale,
    line: cell.line,
    size: cell.size.name,
    device: cell.size.device,
    run: cell.run,
    status: cell.status,
    exportId: cell.exportId,
    error: cell.error,
    cached: cell.cached,
    file: cell.artifact ? presentFile(cell.artifact, now) : null,
  };
  const last = runs.at(-1);
  const waitsAgain = cell.status === 'failed' && last !== undefined && isOpen(last) && cell.run < last.run;
  if (waitsAgain) return { ...shown, run: last.run, status: 'waiting', exportId: null, error: null };
  return shown;
};

const isOpen = (run: BatchRun): boolean => run.closed_at === null && run.cancel_requested_at === null;

/** While a retry is being planned, what failed before and waits again is no failure. */
export const countNow = (counts: CellCounts, run: BatchRun): CellCounts =>
  run.run > 1 && isOpen(run) ? { ...counts, failed: counts.failed - (run.total - run.planned) } : counts;
