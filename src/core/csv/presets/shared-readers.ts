import { absent, accept, type CellReading, refuse } from '../read-cell.ts';
import { readMoney } from '../read-money.ts';
import { htmlToText } from './html-text.ts';
import type { Cells, FieldReader } from './preset.ts';

/** Without a default: an empty name would show that of the composition's example. */
export const readName = (...columns: readonly string[]): FieldReader => ({
  columns,
  required: true,
  read: (cells) => {
    const text = htmlToText(cells.text(...columns));
    return text === '' ? refuse('is empty: a product needs a name') : accept(text);
  },
});

/** Nothing where there is none, and not the text of the composition's example. */
export const readDescription = (...columns: readonly string[]): FieldReader => ({
  columns,
  mayBeCut: true,
  read: (cells) => accept(htmlToText(cells.text(...columns))),
});

export const readText = (...columns: readonly string[]): FieldReader => ({
  columns,
  read: (cells) => textOrAbsent(cells.text(...columns)),
});

const longestAddress = 8_192;
/** Of several, with commas between them, the first. */
export const readFirstImage = (...columns: readonly string[]): FieldReader => ({
  columns,
  read: (cells) => {
    const [first = ''] = cells
      .text(...columns)
      .slice(0, longestAddress)
      .split(/,\s*(?=https?:)/);
    return textOrAbsent(first.trim());
  },
});

const textOrAbsent = (text: string): CellReading => (text === '' ? absent : accept(text));

const amountOf = (text: string, cells: Cells): CellReading => {
  const money = readMoney(text, cells.style);
  return money.type === 'refused' ? refuse(money.reason) : accept(money.amount);
};

/** What the product costs now: the sale price, where there is one. */
export const readPrice = (sale: readonly string[], regular: readonly string[]): FieldReader => ({
  columns: [...regular, ...sale],
  required: true,
  columnOf: (cells) => [...sale, ...regular].find((column) => cells.text(column) !== '') ?? regular[0] ?? '',
  read: (cells) => {
    const text = cells.text(...sale, ...regular);
    return text === '' ? refuse('is empty: a product needs a price') : amountOf(text, cells);
  },
});

/** Where there is none it is the price itself, so that nothing is taken off: not the reduction of the composition's example. */
export const readComparePrice = (sale: readonly string[], before: readonly string[]): FieldReader => ({
  columns: before,
  read: (cells) => {
    const text = cells.text(...before, ...sale);
    return text === '' ? absent : amountOf(text, cells);
  },
});
