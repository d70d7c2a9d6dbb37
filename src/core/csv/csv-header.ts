/** The first record: what the columns are called. */
import { RendermillError } from '../errors.ts';
import { maxColumns } from './csv-limits.ts';
import { foldName } from './prop-path.ts';
import { shorten } from './row-problem.ts';

export interface CsvHeader {
  /** In the order of the file, trimmed; empty: a column without a name, which nothing can name. */
  readonly names: readonly string[];
  /** By its very name, else by one that differs in upper case, spaces, - and _ only. Throws where two columns do. */
  indexOf(name: string): number | undefined;
}

export const unreadable = (
  message: string,
  details: Readonly<Record<string, unknown>> = {},
): RendermillError => new RendermillError('csv_unreadable', { message, details });

/** A few names, so that a message with them can be read. */
export const nameSome = (names: readonly string[]): string => {
  const shown = names
    .filter(Boolean)
    .slice(0, 20)
    .map((name) => `"${shorten(name, 40)}"`);
  const more = names.filter(Boolean).length - shown.length;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
};

/** Throws `csv_unreadable`. */
export const openHeader = (cells: readonly string[]): CsvHeader => {
  if (cells.length > maxColumns)
    throw unreadable(`The file has ${cells.length} columns; at most ${maxColumns} are read.`, { line: 1 });
  const names = cells.map((cell) => cell.trim());
  if (names.every((name) => name === ''))
    throw unreadable('The first record has no names of columns: a header such as "name,price" is needed.', {
      line: 1,
    });
  const repeated = [...new Set(names.filter((name, index) => name !== '' && names.indexOf(name) !== index))];
  if (repeated.length > 0) {
    throw unreadable(`Columns must have different names; more than one is called ${nameSome(repeated)}.`, {
      line: 1,
    });
  }
  const exact = new Map(names.map((name, index) => [name, index]));
  const folded = new Map<string, number[]>();
  names.forEach((name, index) => {
    const key = foldName(name);
    if (key !== '') folded.set(key, [...(folded.get(key) ?? []), index]);
  });
  return {
    names,
    indexOf: (name) => {
      const found = name === '' ? undefined : exact.get(name);
      if (found !== undefined) return found;
      const similar = folded.get(foldName(name)) ?? [];
      if (similar.length < 2) return similar[0];
      throw new RendermillError('invalid_request', {
        message: `Both of the columns ${nameSome(similar.map((index) => names[index] ?? ''))} may be meant by "${shorten(name, 40)}": say which in the mapping.`,
        details: { columns: similar.map((index) => shorten(names[index] ?? '')) },
      });
    },
  };
};
