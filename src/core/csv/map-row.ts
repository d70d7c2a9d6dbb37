/** One record as a variant of a batch, or what is wrong with it. */
import { cellNameSchema, localeSchema } from '../batch-order.ts';
import { excerpt } from './presets/html-text.ts';
import { setProp } from './prop-path.ts';
import type { Row } from './row.ts';
import type { Binding, RowPlan } from './row-plan.ts';
import { type RowProblem, shorten } from './row-problem.ts';

/** A row before it is a variant: its name need not be unique yet. */
export interface RowVariant {
  readonly line: number;
  readonly name: string;
  readonly locale: string | null;
  readonly props: Readonly<Record<string, unknown>>;
}

export type MappedRow =
  | { readonly type: 'variant'; readonly variant: RowVariant; readonly row: Row }
  | { readonly type: 'problems'; readonly problems: readonly RowProblem[] }
  /** No item of its own, or empty. */
  | { readonly type: 'skipped' };

const problem = (line: number, column: string | null, reason: string, value: string): RowProblem => ({
  line,
  column: column === null ? null : shorten(column, 60),
  reason,
  ...(value === '' ? {} : { value: shorten(value) }),
});

/** Trailing empty cells are what a trailing delimiter leaves. */
const misshapen = (plan: { columns: number }, cells: readonly string[], line: number): RowProblem | null => {
  const { columns } = plan;
  const tooMany = cells.length > columns && cells.slice(columns).some((cell) => cell.trim() !== '');
  if (cells.length >= columns && !tooMany) return null;
  return problem(
    line,
    null,
    `has ${cells.length} cells, the header has ${columns}: a cell with a delimiter or a line break in it needs quotes`,
    '',
  );
};

const maxNameLength = 100;
const nameOf = (plan: RowPlan, row: Row, line: number): string => {
  const printable = plan
    .nameOf(row)
    .replace(/[\p{Cc}\p{Cs}]+/gu, ' ')
    .trim();
  const name = excerpt(printable, maxNameLength);
  return cellNameSchema.safeParse(name).success ? name : `row-${line}`;
};

export const mapRow = (
  plan: RowPlan & { columns: number },
  cells: readonly string[],
  line: number,
): MappedRow => {
  if (cells.every((cell) => cell.trim() === '')) return { type: 'skipped' };
  const wrongShape = misshapen(plan, cells, line);
  if (wrongShape) return { type: 'problems', problems: [wrongShape] };
  const row = plan.open(cells);
  if (plan.isSkipped(row)) return { type: 'skipped' };
  const problems: RowProblem[] = [];
  const props: Record<string, unknown> = {};
  for (const binding of plan.bindings) {
    const reading = binding.read(row);
    if (reading.type === 'value') setProp(props, binding.prop.path, reading.value);
    if (reading.type === 'refused') problems.push(cellProblem(binding, row, line, reading.reason));
  }
  const locale = plan.localeOf(row);
  if (locale !== '' && !localeSchema.safeParse(locale).success)
    problems.push(problem(line, plan.localeColumn, 'is not a locale such as en, pt-BR or zh-Hans', locale));
  if (problems.length > 0) return { type: 'problems', problems };
  const variant = { line, name: nameOf(plan, row, line), locale: locale === '' ? null : locale, props };
  return { type: 'variant', variant, row };
};

const cellProblem = (binding: Binding, row: Row, line: number, reason: string): RowProblem => {
  const column = binding.columnOf(row);
  return problem(line, column, reason, column === null ? '' : row.text(column));
};

export interface PropReason {
  /** As the validation of props says it: props.rating.value. */
  readonly path: string;
  readonly reason: string;
}

/** What the composition's schema says of the props, said of the cells that they came from. */
export const toRowProblems = (
  plan: RowPlan,
  row: Row,
  line: number,
  reasons: readonly PropReason[],
): readonly RowProblem[] =>
  reasons.map(({ path, reason }) => {
    const prop = path.replace(/^props\.?/, '');
    const [binding] = plan.bindings
      .filter(({ prop: { name } }) => prop === name || prop.startsWith(`${name}.`))
      .toSorted((a, b) => b.prop.name.length - a.prop.name.length);
    if (binding === undefined) return problem(line, null, `${prop === '' ? 'the row' : prop} ${reason}`, '');
    const inside = prop === binding.prop.name ? '' : `${prop} `;
    return cellProblem(binding, row, line, `${inside}${reason}`);
  });

/** Two rows of one name would be one file of an archive: the second becomes name-2. File systems may not tell cases apart. */
export const createNaming = (): ((name: string, locale: string | null) => string) => {
  const used = new Set<string>();
  const counts = new Map<string, number>();
  return (name, locale) => {
    const keyOf = (candidate: string): string => `${locale ?? ''}\n${candidate.toLowerCase()}`;
    // Counted by what is left of a long name: else the k-th of many that begin alike would try k of them.
    const stem = excerpt(name, maxNameLength - 8);
    let unique = name;
    while (used.has(keyOf(unique))) {
      const count = (counts.get(keyOf(stem)) ?? 1) + 1;
      counts.set(keyOf(stem), count);
      unique = `${stem}-${count}`;
    }
    used.add(keyOf(unique));
    return unique;
  };
};
