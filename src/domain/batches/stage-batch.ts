/** A batch before it is accepted: its variants are collected, nothing is reserved, and nobody sees it. */
import { sql } from 'kysely';
import type { BatchSize, JobType } from '../../core/batches.ts';
import type { RenderMode } from '../../core/exports.ts';
import type { ExportKind, OutputFormat } from '../../core/output.ts';
import type { Database, Tx } from '../../platform/db/client.ts';
import type { CellTemplate } from '../../platform/db/schema-batches.ts';

export interface NewBatch {
  readonly id: string;
  readonly organizationId: string;
  readonly userId: string;
  readonly projectId: string;
  readonly jobType: JobType;
  readonly campaignId: string | null;
  readonly kind: ExportKind;
  readonly format: OutputFormat;
  readonly renderMode: RenderMode;
  readonly compositionId: string;
  readonly version: string;
  readonly template: CellTemplate;
  readonly sizes: readonly BatchSize[];
  readonly reuse: boolean;
}

export interface NewVariant {
  readonly name: string;
  readonly locale: string | null;
  readonly props: Readonly<Record<string, unknown>>;
  /** Of an import: the line of the file. */
  readonly line: number | null;
}

/** The user must exist. */
export const stageBatch = async (tx: Tx, batch: NewBatch, now: Date): Promise<void> => {
  await tx
    .insertInto('batch')
    .values({
      id: batch.id,
      organization_id: batch.organizationId,
      user_id: batch.userId,
      project_id: batch.projectId,
      job_type: batch.jobType,
      campaign_id: batch.campaignId,
      kind: batch.kind,
      format: batch.format,
      render_mode: batch.renderMode,
      composition_id: batch.compositionId,
      version: batch.version,
      template: JSON.stringify(batch.template),
      sizes: JSON.stringify(batch.sizes),
      variant_count: 0,
      reuse: batch.reuse,
      created_at: now,
      updated_at: now,
    })
    .execute();
};

/** Rows of one statement: a few hundred kilobytes, and not so many that making it holds up others. */
const variantsPerInsert = 1_000;

/** After those that are there already; positions count from 0. */
export const addVariants = async (
  tx: Tx,
  batchId: string,
  variants: readonly NewVariant[],
): Promise<void> => {
  if (variants.length === 0) return;
  const { variant_count: count } = await tx
    .updateTable('batch')
    .set((row) => ({ variant_count: row('variant_count', '+', variants.length) }))
    .where('id', '=', batchId)
    .returning('variant_count')
    .executeTakeFirstOrThrow();
  const first = count - variants.length;
  for (let from = 0; from < variants.length; from += variantsPerInsert)
    await insertVariants(tx, batchId, first + from, variants.slice(from, from + variantsPerInsert));
};

/** A list per column: a parameter per value costs more to write and to read than the rows themselves. */
const insertVariants = async (
  tx: Tx,
  batchId: string,
  first: number,
  variants: readonly NewVariant[],
): Promise<void> => {
  await sql`
    INSERT INTO batch_variant (batch_id, position, name, locale, props, line)
    SELECT ${batchId}, ${first} + given.at - 1, given.name, given.locale, given.props, given.line
    FROM unnest(
      ${variants.map(({ name }) => name)}::text[],
      ${variants.map(({ locale }) => locale)}::text[],
      ${variants.map(({ props }) => JSON.stringify(props))}::jsonb[],
      ${variants.map(({ line }) => line)}::int[]
    ) WITH ORDINALITY AS given (name, locale, props, line, at)`.execute(tx);
};

/** What an import tells of its file; kept with the batch. */
export const storeReport = async (
  tx: Tx,
  batchId: string,
  report: Readonly<Record<string, unknown>>,
): Promise<void> => {
  await tx
    .updateTable('batch')
    .set({ report: JSON.stringify(report) })
    .where('id', '=', batchId)
    .execute();
};

/** Only one that was never accepted. */
export const dropStagedBatch = async (db: Database, batchId: string): Promise<void> => {
  await db.deleteFrom('batch').where('id', '=', batchId).where('run', '=', 0).execute();
};

/** What a killed process left; an upload takes minutes, not hours. */
export const dropOldStagedBatches = async (db: Database, olderThan: Date): Promise<void> => {
  await db.deleteFrom('batch').where('run', '=', 0).where('created_at', '<', olderThan).execute();
};
