/** What an import of a CSV takes and answers, as JSON. */
import type { z } from 'zod';
import type { csvImportOptionsSchema } from '../core/csv/import-options.ts';
import type { RowVariant } from '../core/csv/map-row.ts';
import type { RowProblem } from '../core/csv/row-problem.ts';

export type CsvImportOrder = Omit<z.input<typeof csvImportOptionsSchema>, 'dryRun'>;

export interface CsvReport {
  /** Of the composition. */
  readonly version: string;
  /** Without the header, empty rows, and those that belong to the product before them. */
  readonly rows: number;
  readonly accepted: number;
  readonly refused: number;
  readonly skipped: number;
  /** Accepted rows × sizes. */
  readonly cells: number;
  /** Exports a day; null: no limit. */
  readonly limit: number | null;
  readonly remaining: number | null;
  readonly resetAt: string;
  /** The first thousand. */
  readonly problems: readonly RowProblem[];
  readonly problemCount: number;
  /** Prop by prop the column that fills it; null: every row has the same. */
  readonly mapping: Readonly<Record<string, string | null>>;
  readonly encoding: string;
  readonly delimiter: string;
}

export interface CsvImport extends CsvReport {
  /** Of the batch: it is read, canceled, retried and downloaded as a campaign. */
  readonly id: string;
  readonly status: 'accepted';
}

export interface CsvImportPlan extends CsvReport {
  readonly dryRun: true;
  /** Whether it would be accepted now. */
  readonly allowed: boolean;
  readonly refusal: { readonly code: string; readonly message: string } | null;
  /** The first rows as they were understood. */
  readonly preview: readonly RowVariant[];
}

export interface ImportCsvOptions {
  /** The same key, order and file within a day are the same batch. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}
