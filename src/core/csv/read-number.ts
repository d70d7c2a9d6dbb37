/** A number as people and programs write it in a cell. What could be two numbers is refused: a wrong price is worse than none. */

export interface NumberStyle {
  /** What separates the decimals, where the importer said it. */
  readonly decimal?: 'point' | 'comma' | undefined;
  /** Whether a point before three digits is a decimal point, as programs write it, and not a spreadsheet's thousands. */
  readonly pointIsDecimal: boolean;
}

export type NumberReading =
  | { readonly type: 'number'; readonly value: number }
  | { readonly type: 'refused'; readonly reason: string };

const refused = (reason: string): NumberReading => ({ type: 'refused', reason });

const plain = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;
/** Also the spaces and apostrophes that some languages put between thousands. */
const written = /^[+-]?[\d.,'’ \u00a0\u202f]*\d$/;
/** One separator, one to three digits before it and three behind it: 1.234 or 1,234. */
const ambiguous = /^[+-]?[1-9]\d{0,2}[.,]\d{3}$/;

const decimalOf = (text: string, style: NumberStyle): '.' | ',' | null => {
  if (style.decimal !== undefined) return style.decimal === 'point' ? '.' : ',';
  const [points, commas] = [text.split('.').length - 1, text.split(',').length - 1];
  if (points > 0 && commas > 0) return text.lastIndexOf('.') > text.lastIndexOf(',') ? '.' : ',';
  if (points + commas !== 1) return null;
  return points === 1 ? '.' : ',';
};

const isAmbiguous = (text: string, style: NumberStyle): boolean =>
  style.decimal === undefined && ambiguous.test(text) && !(style.pointIsDecimal && text.includes('.'));

const misunderstood = (text: string): string => {
  const [asDecimal, asThousands] = [text.replace(',', '.'), text.replace(/[.,]/, '')];
  return `may be ${asThousands} or ${asDecimal}: write it without a thousands separator, or say "decimal": "point" or "comma"`;
};

/** Groups of three, all separated by the same. */
const withoutGroups = (integer: string): string | null => {
  if (/^[+-]?\d*$/.test(integer)) return integer;
  const separator = /[^\d+-]/.exec(integer)?.[0] ?? '';
  const [first = '', ...groups] = integer.split(separator);
  if (!/^[+-]?\d{1,3}$/.test(first) || !groups.every((group) => /^\d{3}$/.test(group))) return null;
  return [first, ...groups].join('');
};

export const readNumber = (given: string, style: NumberStyle): NumberReading => {
  const text = given.trim().replace('\u2212', '-');
  if (style.decimal !== 'comma' && plain.test(text) && !isAmbiguous(text, style)) return toNumber(text);
  if (!written.test(text)) return refused('is not a number such as 1234.5');
  if (isAmbiguous(text, style)) return refused(misunderstood(text));
  const decimal = decimalOf(text, style);
  const at = decimal === null ? -1 : text.lastIndexOf(decimal);
  const [integer, fraction] = at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
  if (decimal !== null && integer.includes(decimal))
    return refused('is not a number: it has two decimal separators');
  const digits = withoutGroups(integer);
  if (digits === null || !/^\d*$/.test(fraction)) return refused('is not a number such as 1234.5');
  return toNumber(`${digits === '' ? '0' : digits}.${fraction === '' ? '0' : fraction}`);
};

const toNumber = (text: string): NumberReading => {
  const value = Number(text);
  return Number.isFinite(value) ? { type: 'number', value } : refused('is too large a number');
};
