/** How the columns of one file fill the props of one composition: settled once, from its header. */
import { RendermillError } from '../errors.ts';
import { type CsvHeader, nameSome, unreadable } from './csv-header.ts';
import {
  findProp,
  type JsonSchema,
  listProps,
  type Prop,
  propKinds,
  schemaOfDefaults,
} from './describe-props.ts';
import type { Delimiter } from './detect-delimiter.ts';
import type { CsvImportOptions } from './import-options.ts';
import { excerpt } from './presets/html-text.ts';
import { type FieldReader, type Preset, type ProductField, propsOfField } from './presets/preset.ts';
import { presets } from './presets/presets.ts';
import { foldName, parsePropPath } from './prop-path.ts';
import { accept, type CellReading, type CellType, readCell } from './read-cell.ts';
import type { NumberStyle } from './read-number.ts';
import { type Row, rowReader } from './row.ts';
import { shorten } from './row-problem.ts';

/** One prop and where it comes from. */
export interface Binding {
  readonly prop: Prop;
  /** Null: every row has the same. */
  readonly column: string | null;
  /** The column that this row's value came from. */
  columnOf(row: Row): string | null;
  read(row: Row): CellReading;
}

export interface RowPlan {
  readonly bindings: readonly Binding[];
  open(cells: readonly string[]): Row;
  /** A row that is no item of its own. Asked for each row, in the order of the file. */
  isSkipped(row: Row): boolean;
  /** Empty: the row has none. */
  nameOf(row: Row): string;
  localeOf(row: Row): string;
  readonly localeColumn: string | null;
}

export interface PlannedComposition {
  readonly id: string;
  /** Null: it takes any props. */
  readonly schema: JsonSchema | null;
  readonly defaults: Readonly<Record<string, unknown>>;
}

type Options = Pick<CsvImportOptions, 'preset' | 'mapping' | 'nameColumn' | 'localeColumn' | 'decimal'>;

const invalid = (message: string, details: Readonly<Record<string, unknown>>): RendermillError =>
  new RendermillError('invalid_request', { message, details });

/** Throws `invalid_request` where the options do not fit file and composition, `csv_unreadable` where the file is no such export. */
export const planRows = (
  header: CsvHeader,
  composition: PlannedComposition,
  options: Options,
  delimiter: Delimiter,
): RowPlan => {
  // A spreadsheet puts semicolons where its commas are decimal: there 1.234 is more likely a thousand than one and a bit.
  const style: NumberStyle = { decimal: options.decimal, pointIsDecimal: delimiter !== ';' };
  const schema = composition.schema ?? schemaOfDefaults(composition.defaults);
  const preset = presets[options.preset];
  const localeColumn =
    options.localeColumn ?? (header.indexOf('locale') === undefined ? undefined : 'locale');
  const build: PlanBuild = {
    header,
    schema,
    isOpen: composition.schema === null,
    compositionId: composition.id,
    style,
    props: listProps(schema),
    bindings: [],
    left: new Set(),
  };
  bindMapping(build, options.mapping);
  if (preset) bindPreset(build, preset);
  bindOwnNames(build, [options.nameColumn, localeColumn]);
  if (localeColumn !== undefined) bindLocale(build, localeColumn);
  if (build.bindings.length === 0) throw nothingMapped(build);
  const nameColumns = options.nameColumn === undefined ? (preset?.nameColumns ?? []) : [options.nameColumn];
  if (options.nameColumn !== undefined) columnIndex(build, 'nameColumn', options.nameColumn);
  const skip = preset?.createSkip() ?? (() => false);
  const open = rowReader(header, style);
  return {
    bindings: build.bindings,
    open,
    isSkipped: skip,
    nameOf: (row) => row.text(...nameColumns),
    localeOf: (row) => (localeColumn === undefined ? '' : row.text(localeColumn)),
    localeColumn:
      localeColumn === undefined ? null : (header.names[header.indexOf(localeColumn) ?? -1] ?? null),
  };
};

interface PlanBuild {
  readonly header: CsvHeader;
  readonly schema: JsonSchema;
  /** Takes props that the schema does not name. */
  readonly isOpen: boolean;
  readonly compositionId: string;
  readonly style: NumberStyle;
  readonly props: readonly Prop[];
  readonly bindings: Binding[];
  /** Paths that the mapping leaves out. */
  readonly left: Set<string>;
}

const isWithin = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}.`);

/** Also of a prop whose object, or part, is filled. */
const isTaken = (build: PlanBuild, name: string): boolean =>
  [...build.left, ...build.bindings.map((one) => one.prop.name)].some(
    (taken) => isWithin(name, taken) || isWithin(taken, name),
  );

const columnIndex = (build: PlanBuild, where: string, column: string): number => {
  const index = build.header.indexOf(column);
  if (index !== undefined) return index;
  throw invalid(
    `${where}: the file has no column "${shorten(column, 40)}". It has: ${nameSome(build.header.names)}.`,
    { column: shorten(column), columns: build.header.names.slice(0, 100).map((name) => shorten(name)) },
  );
};

const columnBinding = (
  build: PlanBuild,
  prop: Prop,
  index: number,
  given: { readonly type?: CellType | undefined; readonly default?: unknown } = {},
): Binding => {
  const column = build.header.names[index] ?? '';
  return {
    prop,
    column,
    columnOf: () => column,
    read: (row) => {
      const reading = readCell(row.cells[index] ?? '', prop, build.style, given.type);
      return reading.type === 'absent' && given.default !== undefined ? accept(given.default) : reading;
    },
  };
};

const bindMapping = (build: PlanBuild, mapping: Options['mapping']): void => {
  for (const [name, to] of Object.entries(mapping)) {
    if (to === null) {
      build.left.add(name);
      continue;
    }
    const prop = propNamed(build, name);
    const given = typeof to === 'string' ? { column: to } : to;
    if (given.column !== undefined) {
      build.bindings.push(
        columnBinding(build, prop, columnIndex(build, `mapping.${name}`, given.column), given),
      );
    } else {
      const constant = accept(given.default);
      build.bindings.push({ prop, column: null, columnOf: () => null, read: () => constant });
    }
  }
};

const propNamed = (build: PlanBuild, name: string): Prop => {
  const known = build.props.find((prop) => prop.name === name);
  if (known) return known;
  const path = parsePropPath(name);
  const allowed = path === null ? null : findProp(build.schema, path);
  if (allowed) return allowed;
  const names = build.props.map((prop) => prop.name);
  throw invalid(
    `mapping.${shorten(name, 40)}: "${build.compositionId}" has no such prop. It has: ${nameSome(names)}.`,
    { prop: shorten(name), props: names.slice(0, 100) },
  );
};

const bindPreset = (build: PlanBuild, preset: Preset): void => {
  const missing: string[] = [];
  for (const [field, reader] of Object.entries(preset.fields) as [ProductField, FieldReader][]) {
    const prop = propOf(build, field);
    if (prop === null) continue;
    const column = reader.columns.find((name) => build.header.indexOf(name) !== undefined);
    if (column === undefined) {
      if (reader.required) missing.push(reader.columns[0] ?? field);
      continue;
    }
    build.bindings.push(presetBinding(build, prop, reader, column));
  }
  if (missing.length === 0) return;
  throw unreadable(
    `The file does not look like ${preset.title}: it has no column ${nameSome(missing)}. It has: ${nameSome(build.header.names)}. Map other columns, or choose another preset.`,
    { line: 1, missing },
  );
};

const propOf = (build: PlanBuild, field: ProductField): Prop | null => {
  for (const alias of propsOfField[field]) {
    const prop = build.props.find((one) => foldName(one.name) === alias);
    if (prop) return isTaken(build, prop.name) ? null : prop;
  }
  if (!build.isOpen || isTaken(build, field)) return null;
  // It takes any value: what the preset reads stays what it is.
  return { ...propNamed(build, field), kinds: propKinds };
};

const presetBinding = (build: PlanBuild, prop: Prop, reader: FieldReader, found: string): Binding => {
  const nameOf = (column: string): string => build.header.names[build.header.indexOf(column) ?? -1] ?? column;
  const column = nameOf(found);
  const columnOf = (row: Row): string => (reader.columnOf ? nameOf(reader.columnOf(row)) : column);
  return {
    prop,
    column,
    columnOf,
    read: (row) => {
      const reading = reader.read(row);
      if (reading.type !== 'value') return reading;
      return accept(fitted(prop, reader, reading.value, row.text(columnOf(row))));
    },
  };
};

/** A price goes as the feed writes it into a prop that is a text. */
const fitted = (prop: Prop, reader: FieldReader, value: unknown, cell: string): unknown => {
  if (typeof value === 'number' && !prop.kinds.includes('number') && prop.kinds.includes('text')) return cell;
  const cuts = reader.mayBeCut === true && typeof value === 'string' && prop.maxLength !== null;
  return cuts ? excerpt(value, prop.maxLength) : value;
};

const bindOwnNames = (build: PlanBuild, others: readonly (string | undefined)[]): void => {
  for (const prop of build.props) {
    if (isTaken(build, prop.name)) continue;
    const index = build.header.indexOf(prop.name);
    if (index !== undefined) build.bindings.push(columnBinding(build, prop, index));
  }
  if (!build.isOpen) return;
  // A composition without a schema takes any props: each column that is not used otherwise becomes one.
  const used = new Set(build.bindings.map((one) => one.column));
  for (const other of others)
    if (other !== undefined) used.add(build.header.names[build.header.indexOf(other) ?? -1] ?? '');
  build.header.names.forEach((name, index) => {
    if (name === '' || used.has(name) || isTaken(build, name)) return;
    if (parsePropPath(name) === null)
      throw unreadable(`The column "${shorten(name, 40)}" cannot be the name of a prop: rename it.`, {
        line: 1,
      });
    build.bindings.push(columnBinding(build, propNamed(build, name), index));
  });
};

/** A composition that is told its language is told that of the row. */
const bindLocale = (build: PlanBuild, column: string): void => {
  const index = columnIndex(build, 'localeColumn', column);
  const prop = build.props.find((one) => foldName(one.name) === 'locale');
  if (prop && !isTaken(build, prop.name)) build.bindings.push(columnBinding(build, prop, index));
};

const nothingMapped = (build: PlanBuild): RendermillError => {
  const names = build.props.map((prop) => prop.name);
  return invalid(
    `No column fills a prop of "${build.compositionId}". The file has: ${nameSome(build.header.names)}. The composition has: ${nameSome(names)}. Say in the mapping which column fills which.`,
    { columns: build.header.names.slice(0, 100).map((name) => shorten(name)), props: names.slice(0, 100) },
  );
};
