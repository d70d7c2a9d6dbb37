import { type SqlBool, sql } from 'kysely';
import type { BatchSize } from '../../core/batches.ts';
import type { ExportStatus } from '../../core/exports.ts';
import type { Reader } from '../../platform/db/client.ts';
import { type Artifact, findArtifactsOf } from '../artifacts/artifacts.ts';
import type { Batch } from './batch.ts';
import { lastExportsOf } from './last-exports.ts';

/** One variant in one size, as its last run left it. */
export interface Cell {
  /** Position of the variant, from 0. */
  readonly variant: number;
  readonly variantName: string;
  readonly locale: string | null;
  /** Of an import: the line of the file. */
  readonly line: number | null;
  readonly props: Record<string, unknown>;
  readonly size: BatchSize;
  readonly sizeIndex: number;
  readonly run: number;
  /** `waiting`: accepted, and no export yet. */
  readonly status: 'waiting' | ExportStatus;
  readonly exportId: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly cached: boolean;
  readonly artifact: Artifact | null;
}

interface CellPage {
  /** Position after which to begin; absent: from the start. */
  readonly afterVariant?: number;
  /** How many variants, with all of their cells. */
  readonly variants: number;
  /** Only cells whose last export is in this state, of variants that have such a one. */
  readonly status?: ExportStatus;
}

/** By variant, then by size; empty at the end. */
export const listCells = async (db: Reader, batch: Batch, page: CellPage): Promise<readonly Cell[]> => {
  // Before the exports: when the planning is over now, every export that there will be is there.
  const isPlanned = await isWhollyPlanned(db, batch.id);
  const variants = await readVariants(db, batch, page, isPlanned);
  const [first, last] = [variants.at(0), variants.at(-1)];
  if (!first || !last) return [];
  const exports = await lastExports(db, batch.id, first.position, last.position);
  const absent = isPlanned ? withdrawn : waiting;
  const artifacts = await findArtifactsOf(
    db,
    exports.flatMap((one) => (one.status === 'completed' ? [one.id] : [])),
  );
  const byCell = new Map(exports.map((one) => [`${one.variant}/${one.size}`, one]));
  return variants.flatMap((variant) =>
    batch.sizes.flatMap((size, sizeIndex) => {
      const found = byCell.get(`${variant.position}/${sizeIndex}`);
      const outcome = found ? outcomeOf(found, artifacts) : absent;
      if (page.status !== undefined && outcome.status !== page.status) return [];
      return {
        variant: variant.position,
        variantName: variant.name,
        locale: variant.locale,
        line: variant.line,
        props: variant.props,
        size,
        sizeIndex,
        ...outcome,
      };
    }),
  );
};

/** A cell that has no export then was withdrawn by a cancel before it got one. */
const isWhollyPlanned = async (db: Reader, batchId: string): Promise<boolean> => {
  const run = await db
    .selectFrom('batch_run')
    .select(['planned', 'total'])
    .where('batch_id', '=', batchId)
    .where('run', '=', 1)
    .executeTakeFirst();
  return run !== undefined && run.planned === run.total;
};

const readVariants = (
  db: Reader,
  batch: Batch,
  { afterVariant = -1, variants, status }: CellPage,
  isPlanned: boolean,
) => {
  const query = db
    .selectFrom('batch_variant')
    .selectAll()
    .where('batch_id', '=', batch.id)
    .where('position', '>', afterVariant)
    .orderBy('position')
    .limit(variants);
  if (status === undefined) return query.execute();
  if (status === 'canceled' && isPlanned) return query.where(hasCanceledCell(batch)).execute();
  return query
    .where(
      sql<SqlBool>`position IN (
        SELECT variant FROM ${lastExportsOf(batch.id)} AS last
        WHERE status = ${status} AND variant > ${afterVariant} GROUP BY variant ORDER BY variant LIMIT ${variants})`,
    )
    .execute();
};

/** Canceled, or withdrawn before it became an export. */
const hasCanceledCell = (batch: Batch) => sql<SqlBool>`(
  EXISTS (SELECT FROM export WHERE batch_id = ${batch.id} AND variant = position AND status = 'canceled')
  OR ${batch.sizes.length}::int > (SELECT count(DISTINCT size) FROM export WHERE batch_id = ${batch.id} AND variant = position))`;

const waiting = {
  run: 1,
  status: 'waiting',
  exportId: null,
  error: null,
  cached: false,
  artifact: null,
} as const;

const withdrawn = { ...waiting, status: 'canceled' } as const;

type LastExport = Awaited<ReturnType<typeof lastExports>>[number];

const outcomeOf = (row: LastExport, artifacts: ReadonlyMap<string, Artifact>) => ({
  run: row.run ?? 1,
  status: row.status,
  exportId: row.id,
  error: row.error_code === null ? null : { code: row.error_code, message: row.error_text ?? row.error_code },
  cached: row.cached,
  artifact: artifacts.get(row.id) ?? null,
});

const lastExports = (db: Reader, batchId: string, from: number, to: number) =>
  db
    .selectFrom('export')
    .distinctOn(['variant', 'size'])
    .select(['id', 'variant', 'size', 'run', 'status', 'error_code', 'error_text', 'cached'])
    .where('batch_id', '=', batchId)
    .where('variant', '>=', from)
    .where('variant', '<=', to)
    .orderBy('variant')
    .orderBy('size')
    .orderBy('run', 'desc')
    .execute();

export interface CellCounts {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly canceled: number;
  /** Of those that succeeded: without rendering. */
  readonly cached: number;
}

/** Of the whole batch: each cell counts as its last run left it. */
export const countCells = async (db: Reader, batch: Batch): Promise<CellCounts> => {
  const { rows } = await sql<Omit<CellCounts, 'total'>>`
    SELECT count(*) FILTER (WHERE status = 'completed') AS succeeded,
      count(*) FILTER (WHERE status = 'failed') AS failed,
      count(*) FILTER (WHERE status = 'canceled')
        + coalesce((SELECT total - (SELECT count(*) FROM export WHERE batch_id = ${batch.id} AND run = 1) FROM batch_run
            WHERE batch_id = ${batch.id} AND run = 1 AND planned = total), 0) AS canceled,
      count(*) FILTER (WHERE status = 'completed' AND cached) AS cached
    FROM ${lastExportsOf(batch.id)} AS last`.execute(db);
  const counts = rows[0] ?? { succeeded: 0, failed: 0, canceled: 0, cached: 0 };
  return { total: batch.variant_count * batch.sizes.length, ...counts };
};
