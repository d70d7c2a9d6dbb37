/** The text of a cell as the value that a prop wants. What does not fit is refused with a reason; nothing is guessed. */
import type { Prop, PropKind } from './describe-props.ts';
import { readMoney } from './read-money.ts';
import { type NumberStyle, readNumber } from './read-number.ts';

export type CellReading =
  | { readonly type: 'value'; readonly value: unknown }
  /** Empty. */
  | { readonly type: 'absent' }
  | { readonly type: 'refused'; readonly reason: string };

/** Kinds of props, and two that only a mapping can ask for: the amount, or the currency, of a price with its currency. */
export const cellTypes = [
  'text',
  'number',
  'integer',
  'boolean',
  'date',
  'list',
  'object',
  'amount',
  'currency',
] as const;
export type CellType = (typeof cellTypes)[number];

export const accept = (value: unknown): CellReading => ({ type: 'value', value });
export const refuse = (reason: string): CellReading => ({ type: 'refused', reason });
export const absent: CellReading = { type: 'absent' };

const booleans: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['yes', true],
  ['1', true],
  ['false', false],
  ['no', false],
  ['0', false],
]);

const readBoolean = (text: string): CellReading => {
  const value = booleans.get(text.toLowerCase());
  return value === undefined ? refuse('is not yes, no, true, false, 1 or 0') : accept(value);
};

const isoDate =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s*(Z|[+-]\d{2}:?\d{2})?)?$/;

/** 2026-03-01, or with a time of day; without a zone it is UTC. Orders of day and month that differ by country are refused. */
const readDate = (text: string): CellReading => {
  const match = isoDate.exec(text);
  if (!match) return refuse('is not a date such as 2026-03-01 or 2026-03-01T09:30:00Z');
  const [, year, month, day, time = '00:00', zone = 'Z'] = match;
  const date = new Date(`${year}-${month}-${day}T${time}${zone}`);
  // JavaScript reads February 30 as March 2.
  const exists = new Date(`${year}-${month}-${day}T00:00Z`).getUTCDate() === Number(day);
  return Number.isNaN(date.getTime()) || !exists
    ? refuse('is a date that does not exist')
    : accept(date.toISOString());
};

const readJson = (text: string, what: 'list' | 'object'): CellReading => {
  try {
    const value: unknown = JSON.parse(text);
    const found = Array.isArray(value) ? 'list' : typeof value;
    if (found === what && value !== null) return accept(value);
  } catch {
    // Said below, without the parser's words.
  }
  return refuse(
    what === 'list' ? 'is not a JSON list such as ["a","b"]' : 'is not a JSON object such as {"a":1}',
  );
};

/** JSON, or items with commas between them. */
const readList = (text: string, itemKinds: readonly PropKind[], style: NumberStyle): CellReading => {
  if (text.startsWith('[')) return readJson(text, 'list');
  const values: unknown[] = [];
  for (const item of text.split(',').map((one) => one.trim())) {
    const read = item === '' ? refuse('has an empty item') : readAs(itemKinds, item, style, []);
    if (read.type === 'refused') return refuse(`${read.reason}, in a list with commas`);
    if (read.type === 'value') values.push(read.value);
  }
  return accept(values);
};

const numberReading = (text: string, style: NumberStyle, whole: boolean): CellReading => {
  const read = readNumber(text, style);
  if (read.type === 'refused') return refuse(read.reason);
  return whole && !Number.isSafeInteger(read.value) ? refuse('is not a whole number') : accept(read.value);
};

const moneyReading = (text: string, style: NumberStyle, part: 'amount' | 'currency'): CellReading => {
  const read = readMoney(text, style);
  if (read.type === 'refused') return refuse(read.reason);
  if (part === 'amount') return accept(read.amount);
  return read.currency === null ? refuse('names no currency, as in 19.99 USD') : accept(read.currency);
};

const readOne = (
  type: CellType,
  text: string,
  style: NumberStyle,
  itemKinds: readonly PropKind[],
): CellReading => {
  switch (type) {
    case 'text':
      return accept(text);
    case 'number':
      return numberReading(text, style, false);
    case 'integer':
      return numberReading(text, style, true);
    case 'boolean':
      return readBoolean(text);
    case 'date':
      return readDate(text);
    case 'list':
      return readList(text, itemKinds, style);
    case 'object':
      return readJson(text, 'object');
    case 'amount':
    case 'currency':
      return moneyReading(text, style, type);
  }
};

/** Of several kinds the first that fits; the reason is that of the first. */
const readAs = (
  types: readonly CellType[],
  text: string,
  style: NumberStyle,
  itemKinds: readonly PropKind[],
): CellReading => {
  const readings = types.map((type) => readOne(type, text, style, itemKinds));
  return readings.find((one) => one.type === 'value') ?? readings[0] ?? accept(text);
};

/** Spaces around it are not part of it. Text that looks like a number stays text where the prop is a text. */
export const readCell = (
  cell: string,
  prop: Pick<Prop, 'kinds' | 'itemKinds'>,
  style: NumberStyle,
  asked?: CellType,
): CellReading => {
  const text = cell.trim();
  if (text === '') return absent;
  return readAs(asked === undefined ? prop.kinds : [asked], text, style, prop.itemKinds);
};
