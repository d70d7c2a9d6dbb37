/** Makes exports of the cells of a run, a part at a time; whoever does it again after a crash goes on where it ended. */
import { sql } from 'kysely';
import type { BatchSize } from '../../core/batches.ts';
import { type CellPosition, cellsBetween, sizesInOrder } from '../../core/cell-order.ts';
import type { NewEvent } from '../../core/events/new-event.ts';
import { newId } from '../../core/ids.ts';
import { planOutput } from '../../core/plan-output.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { CellTemplate } from '../../platform/db/schema-batches.ts';
import type { StoredRequest } from '../../platform/db/schema-rendering.ts';
import type { Batch, BatchRun } from '../batches/batch.ts';
import { countPlanned, type FedRun, lockDueRun } from '../batches/due-runs.ts';
import { lastExportsOf } from '../batches/last-exports.ts';
import { type Composition, getComposition } from '../compositions/find-compositions.ts';
import type { CreditMove } from '../credits/ledger.ts';
import { findRunSpending, shareOf } from '../credits/run-spending.ts';
import { emitAll } from '../events/emit.ts';
import { completeExports } from './complete-export.ts';
import { contentHash } from './content-hash.ts';
import { type Export, exportEnvelope, jobFacts } from './export.ts';
import type { ReusableFile } from './find-reusable.ts';
import { askedBefore, inputHash } from './input-hash.ts';
import { shapeOf } from './prepare-batch.ts';
import { startWithoutWorker } from './start-export.ts';

/** Below what people wait for one by one, whose priority is 0. */
export const batchPriority = 10;

export interface PlannedCell extends CellPosition {
  readonly order: number;
  readonly request: StoredRequest;
  /** What the file would be found under; null: nothing is to be used again. */
  readonly contentHash: string | null;
}

export interface RunPlan {
  readonly batch: Batch;
  readonly run: BatchRun;
  readonly composition: Composition;
  readonly cells: readonly PlannedCell[];
}

/**
 * The next part of a run, or undefined where there is none: it is planned, canceled, or another planning's. Without a version of the
 * renderer no file is used again.
 */
export const readNextCells = async (
  db: Database,
  fed: FedRun,
  limit: number,
  rendererVersion: string | null,
): Promise<RunPlan | undefined> => {
  const run = await db
    .selectFrom('batch_run')
    .selectAll()
    .where('batch_id', '=', fed.batchId)
    .where('run', '=', fed.run)
    .where('epoch', '=', fed.epoch)
    .executeTakeFirst();
  if (!run || run.planned >= run.total || run.cancel_requested_at !== null) return undefined;
  const batch = await db
    .selectFrom('batch')
    .selectAll()
    .where('id', '=', fed.batchId)
    .executeTakeFirstOrThrow();
  const composition = await getComposition(db, batch.organization_id, batch.composition_id, batch.version);
  const positions =
    run.run === 1
      ? cellsBetween(sizesInOrder(batch.sizes), batch.variant_count, run.planned, run.planned + limit)
      : await failedCells(db, batch, run, limit);
  const props = await readProps(db, batch.id, positions);
  const cells = positions.map((position, index): PlannedCell => {
    const request = requestOf(batch, position, props.get(position.variant) ?? {});
    const named = { ...batch, request };
    return {
      ...position,
      order: run.planned + index,
      request,
      contentHash: batch.reuse && rendererVersion !== null ? contentHash(named, rendererVersion) : null,
    };
  });
  return { batch, run, composition, cells };
};

const requestOf = (batch: Batch, { size }: CellPosition, props: Record<string, unknown>): StoredRequest =>
  cellRequest(batch.template, sizeAt(batch, size), props);

/** What the export of a cell is asked for; its content hash is made of it, too. */
export const cellRequest = (
  template: CellTemplate,
  { width, height }: Pick<BatchSize, 'width' | 'height'>,
  props: Record<string, unknown>,
): StoredRequest => ({ ...template, props, width, height });

const sizeAt = (batch: Batch, index: number): BatchSize => {
  const size = batch.sizes[index];
  if (!size) throw new Error(`batch ${batch.id} has no size ${index}`);
  return size;
};

/** Those whose last export failed, and which have none in this run yet; the largest first. */
const failedCells = async (
  db: Reader,
  batch: Batch,
  run: BatchRun,
  limit: number,
): Promise<CellPosition[]> => {
  const { rows } = await sql<CellPosition>`
    SELECT variant, size FROM ${lastExportsOf(batch.id)} AS last WHERE status = 'failed' AND run < ${run.run}
    ORDER BY width * height DESC NULLS LAST, size, variant LIMIT ${limit}`.execute(db);
  return rows;
};

const readProps = async (
  db: Reader,
  batchId: string,
  positions: readonly CellPosition[],
): Promise<ReadonlyMap<number, Record<string, unknown>>> => {
  if (positions.length === 0) return new Map();
  const rows = await db
    .selectFrom('batch_variant')
    .select(['position', 'props'])
    .where('batch_id', '=', batchId)
    .where('position', 'in', [...new Set(positions.map((one) => one.variant))])
    .execute();
  return new Map(rows.map((row) => [row.position, row.props]));
};

/**
 * Writes the exports of the part, records `job_created` for each, and completes those whose file is there already. Returns how
 * many were planned; 0 where somebody else planned them, or the run was canceled, since they were read. `untouchedSince`: how long
 * the exports count as waiting.
 */
export const planCells = async (
  tx: Tx,
  fed: FedRun,
  plan: RunPlan,
  reusable: ReadonlyMap<string, ReusableFile>,
  now: Date,
  untouchedSince: Date = now,
): Promise<number> => {
  const run = await lockDueRun(tx, fed);
  if (!run || run.planned !== plan.run.planned || run.cancel_requested_at !== null) return 0;
  const spent = run.credits_per_cell === 0 ? undefined : await findRunSpending(tx, fed);
  const inserted = await tx
    .insertInto('export')
    .values(plan.cells.map((cell) => toRow(plan, cell, now, untouchedSince)))
    .returningAll()
    .returning(askedBefore.as('asked_before'))
    .execute();
  await emitAll(
    tx,
    inserted.map((row) => created(row, row.asked_before, spent, now)),
  );
  const rows = inserted.map(({ asked_before: _asked, ...row }) => row);
  await countPlanned(tx, run, rows.length, now);
  await completeFromReusable(tx, rows, plan.cells, reusable, now);
  await notify(tx, 'rendermill_feed');
  return rows.length;
};

const toRow = ({ batch, run, composition }: RunPlan, cell: PlannedCell, now: Date, updatedAt: Date) => {
  const planned = planOutput({ kind: batch.kind, ...cell.request }, shapeOf(composition));
  const asked = { ...batch, ...planned, request: cell.request };
  return {
    id: newId(now),
    organization_id: batch.organization_id,
    user_id: batch.user_id,
    project_id: batch.project_id,
    batch_id: batch.id,
    run: run.run,
    variant: cell.variant,
    size: cell.size,
    line_order: cell.order,
    group_key: batch.kind === 'still' ? `${batch.id}/${cell.size}` : null,
    kind: batch.kind,
    format: batch.format,
    render_mode: batch.render_mode,
    priority: batchPriority,
    composition_id: batch.composition_id,
    version: batch.version,
    request: JSON.stringify(cell.request),
    input_hash: inputHash(asked),
    width: planned.width,
    height: planned.height,
    duration: planned.durationSeconds,
    tier: run.tier,
    max_duration: run.max_duration,
    charged_day: run.charged_day,
    charged_hour: run.charged_hour,
    charged_credits: run.credits_per_cell,
    correlation_id: run.correlation_id,
    // Of the run and not of this part, so that a part which is planned late does not come behind a younger batch.
    created_at: run.created_at,
    updated_at: updatedAt,
  };
};

const created = (
  row: Export,
  isRepeated: boolean,
  spent: CreditMove | undefined,
  now: Date,
): NewEvent<'job_created'> => {
  const credits = spent && shareOf(spent, row.line_order, row.charged_credits);
  return {
    name: 'job_created',
    ...exportEnvelope(row, 'worker', now),
    properties: {
      ...jobFacts(row, now),
      tier: row.tier,
      ...(row.duration === null ? {} : { duration_seconds: row.duration }),
      ...(row.width === null || row.height === null ? {} : { resolution: `${row.width}x${row.height}` }),
      job_reprocessed_same_input: isRepeated,
      ...(credits ? { credits_before: credits.before, credits_after: credits.after } : {}),
    },
  };
};

const completeFromReusable = async (
  tx: Tx,
  rows: readonly Export[],
  cells: readonly PlannedCell[],
  reusable: ReadonlyMap<string, ReusableFile>,
  now: Date,
): Promise<void> => {
  const hashes = new Map(cells.map((cell) => [`${cell.variant}/${cell.size}`, cell.contentHash]));
  const fileOf = (row: Export) => reusable.get(hashes.get(`${row.variant}/${row.size}`) ?? '');
  const started = await startWithoutWorker(
    tx,
    rows.filter((row) => fileOf(row) !== undefined),
    now,
  );
  const finished = started.flatMap(({ export: row, fence }) => {
    const file = fileOf(row);
    return file ? [{ fence, file: { ...file, renderTimeMs: 0, cached: true } }] : [];
  });
  await completeExports(tx, finished, now);
};
