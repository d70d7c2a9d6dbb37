import type { CsvHeader } from './csv-header.ts';
import type { Cells } from './presets/preset.ts';
import type { NumberStyle } from './read-number.ts';

/** One record, its cells by the names of their columns. */
export interface Row extends Cells {
  readonly cells: readonly string[];
}

/** Of one file: names are looked up once, not once a row. */
export const rowReader = (header: CsvHeader, style: NumberStyle): ((cells: readonly string[]) => Row) => {
  const indexes = new Map<string, number>();
  const indexOf = (column: string): number => {
    const known = indexes.get(column);
    if (known !== undefined) return known;
    const index = header.indexOf(column) ?? -1;
    indexes.set(column, index);
    return index;
  };
  return (cells) => ({
    cells,
    style,
    text: (...columns) => {
      for (const column of columns) {
        const text = cells[indexOf(column)]?.trim() ?? '';
        if (text !== '') return text;
      }
      return '';
    },
  });
};
