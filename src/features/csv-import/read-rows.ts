/** Every row of a file, mapped, judged and counted; those that are right are handed on as they come. */
import { setImmediate } from 'node:timers/promises';
import { openHeader, unreadable } from '../../core/csv/csv-header.ts';
import { previewRows } from '../../core/csv/csv-limits.ts';
import type { Delimiter } from '../../core/csv/detect-delimiter.ts';
import type { CsvEncoding } from '../../core/csv/detect-encoding.ts';
import type { CsvImportOptions } from '../../core/csv/import-options.ts';
import {
  createNaming,
  mapRow,
  type PropReason,
  type RowVariant,
  toRowProblems,
} from '../../core/csv/map-row.ts';
import { type PlannedComposition, planRows } from '../../core/csv/row-plan.ts';
import { createProblemList, type RowProblem } from '../../core/csv/row-problem.ts';
import { decodeText } from './decode-text.ts';
import { type CsvRecord, openCsv } from './read-records.ts';
import type { SpooledFile } from './spool-upload.ts';

export interface FileReport {
  readonly encoding: CsvEncoding;
  readonly delimiter: Delimiter;
  /** Products: neither the header nor empty rows, nor those that belong to the product before them. */
  readonly rows: number;
  readonly accepted: number;
  readonly refused: number;
  /** Empty rows, and those that are no product of their own. */
  readonly skipped: number;
  /** Prop by prop the column that fills it; null: every row has the same. */
  readonly mapping: Readonly<Record<string, string | null>>;
  /** At most a thousand. */
  readonly problems: readonly RowProblem[];
  readonly problemCount: number;
  /** The first rows as they were understood. */
  readonly preview: readonly RowVariant[];
}

export interface ReadRowsOptions {
  readonly options: CsvImportOptions;
  readonly composition: PlannedComposition;
  /** Of the first of these, at least one: what is wrong with each. */
  judge(many: readonly Readonly<Record<string, unknown>>[]): readonly (readonly PropReason[])[];
  /** In the order of the file, with a name that no other of its locale has. */
  onVariant(variant: RowVariant): Promise<void>;
  /** The first row that is refused; later ones are not told. */
  onRefused(): void;
  readonly signal: AbortSignal;
}

/** Milliseconds for which rows are read before others have their turn. */
const turnMs = 15;
/** Judged together, which costs a tenth. */
const mostWaiting = 200;

/** A row that was mapped, and waits to be judged. */
interface Waiting {
  readonly mapped: Exclude<ReturnType<typeof mapRow>, { readonly type: 'skipped' }>;
  readonly line: number;
}

type MappingPlan = Parameters<typeof mapRow>[0] & Parameters<typeof toRowProblems>[0];

/** Throws `csv_unreadable` and `invalid_request` for what no row could mend. */
export const readRows = async (file: SpooledFile, given: ReadRowsOptions): Promise<FileReport> => {
  const { options } = given;
  const text = decodeText(file, options.encoding);
  const { delimiter, records } = await openCsv(text.chunks, options.delimiter);
  try {
    const header = openHeader(await readHeader(records));
    const columns = header.names.length;
    const plan = { ...planRows(header, given.composition, options, delimiter), columns };
    const tally = createTally(plan, given);
    const waiting: Waiting[] = [];
    let turnEnds = performance.now() + turnMs;
    for await (const { cells, line } of records) {
      const mapped = mapRow(plan, cells, line);
      if (mapped.type === 'skipped') tally.skip();
      else waiting.push({ mapped, line });
      if (waiting.length < mostWaiting && performance.now() < turnEnds) continue;
      await tally.settle(waiting.splice(0));
      if (performance.now() < turnEnds) continue;
      await othersTurn(given.signal);
      turnEnds = performance.now() + turnMs;
    }
    await tally.settle(waiting);
    const { counts, problems, preview } = tally;
    if (counts.accepted + counts.refused === 0)
      throw unreadable('The file has a header and no rows.', { columns: header.names.length });
    return {
      encoding: text.encoding,
      delimiter,
      rows: counts.accepted + counts.refused,
      ...counts,
      mapping: Object.fromEntries(plan.bindings.map(({ prop, column }) => [prop.name, column])),
      problems: problems.listed,
      problemCount: problems.count,
      preview,
    };
  } finally {
    await records.return();
  }
};

const othersTurn = async (signal: AbortSignal): Promise<void> => {
  await setImmediate();
  signal.throwIfAborted();
};

/** Judges rows that were mapped, counts them, and hands on those that are right. */
const createTally = (plan: MappingPlan, given: ReadRowsOptions) => {
  const nameUniquely = createNaming();
  const problems = createProblemList();
  const preview: RowVariant[] = [];
  const counts = { accepted: 0, refused: 0, skipped: 0 };
  const refuse = (found: readonly RowProblem[]): void => {
    if (counts.refused === 0) given.onRefused();
    counts.refused += 1;
    for (const problem of found) problems.add(problem);
  };
  const accept = async (variant: RowVariant): Promise<void> => {
    const named = { ...variant, name: nameUniquely(variant.name, variant.locale) };
    counts.accepted += 1;
    if (preview.length < previewRows) preview.push(named);
    await given.onVariant(named);
  };
  return {
    counts,
    problems,
    preview,
    skip: () => {
      counts.skipped += 1;
    },
    /** In the order of the file, whatever becomes of each. */
    settle: async (rows: readonly Waiting[]): Promise<void> => {
      const judged = (await judgeAll(rows, given)).values();
      for (const { mapped, line } of rows) {
        if (mapped.type === 'problems') {
          refuse(mapped.problems);
          continue;
        }
        const reasons = judged.next().value ?? [];
        if (reasons.length > 0) refuse(toRowProblems(plan, mapped.row, line, reasons));
        else await accept(mapped.variant);
      }
    },
  };
};

/** Of those among them that are variants. */
const judgeAll = async (rows: readonly Waiting[], { judge, signal }: ReadRowsOptions) => {
  const many = rows.flatMap(({ mapped }) => (mapped.type === 'variant' ? [mapped.variant.props] : []));
  const judged: (readonly PropReason[])[] = [];
  while (judged.length < many.length) {
    if (judged.length > 0) await othersTurn(signal);
    judged.push(...judge(many.slice(judged.length)));
  }
  return judged;
};

const readHeader = async (records: AsyncGenerator<CsvRecord, void>): Promise<readonly string[]> => {
  for (;;) {
    const next = await records.next();
    if (next.done) throw unreadable('The file has no header and no rows.');
    if (next.value.cells.some((cell) => cell.trim() !== '')) return next.value.cells;
  }
};
