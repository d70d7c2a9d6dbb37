import { describe, expect, it } from 'vitest';
import type { PropKind } from '../../../src/core/csv/describe-props.ts';
import { type CellType, readCell } from '../../../src/core/csv/read-cell.ts';

const read = (
  text: string,
  kinds: readonly PropKind[],
  given: { items?: readonly PropKind[]; type?: CellType } = {},
) => {
  const reading = readCell(
    text,
    { kinds, itemKinds: given.items ?? [] },
    { pointIsDecimal: true },
    given.type,
  );
  return reading.type === 'value'
    ? reading.value
    : reading.type === 'absent'
      ? undefined
      : { refused: reading.reason };
};

describe('a cell', () => {
  it.each<[string, PropKind[], unknown]>([
    ['  Lamp ', ['text'], 'Lamp'],
    ['0123', ['text'], '0123'],
    ['true', ['text'], 'true'],
    ['12', ['integer'], 12],
    ['3.0', ['integer'], 3],
    ['12.5', ['number'], 12.5],
    ['YES', ['boolean'], true],
    ['0', ['boolean'], false],
    ['2026-03-01', ['date'], '2026-03-01T00:00:00.000Z'],
    ['2026-03-01T09:30', ['date'], '2026-03-01T09:30:00.000Z'],
    ['2026-03-01 09:30:15+02:00', ['date'], '2026-03-01T07:30:15.000Z'],
    ['{"a":1}', ['object'], { a: 1 }],
    ['12', ['number', 'text'], 12],
    ['twelve', ['number', 'text'], 'twelve'],
  ])('%j as %j is %j', (text, kinds, value) => {
    expect(read(text, kinds)).toEqual(value);
  });

  it.each<[string, PropKind[], RegExp]>([
    ['12.5', ['integer'], /not a whole number/],
    ['9007199254740993', ['integer'], /not a whole number/],
    ['€12', ['number'], /not a number/],
    ['maybe', ['boolean'], /not yes, no, true, false, 1 or 0/],
    ['01/03/2026', ['date'], /not a date such as 2026-03-01/],
    ['2026-02-30', ['date'], /does not exist/],
    ['2026-13-01', ['date'], /does not exist/],
    ['{"a":', ['object'], /not a JSON object/],
    ['[1]', ['object'], /not a JSON object/],
  ])('%j does not fit %j', (text, kinds, reason) => {
    expect(read(text, kinds)).toEqual({ refused: expect.stringMatching(reason) });
  });

  it('that is empty is absent, so that the default prop applies', () => {
    expect(read('  ', ['text'])).toBeUndefined();
    expect(read('', ['number'])).toBeUndefined();
  });

  it('is a list as JSON, or with commas between its items', () => {
    expect(read('["a","b, c"]', ['list'], { items: ['text'] })).toEqual(['a', 'b, c']);
    expect(read('red, green', ['list'], { items: ['text'] })).toEqual(['red', 'green']);
    expect(read('1, 2.5', ['list'], { items: ['number'] })).toEqual([1, 2.5]);
    expect(read('1, x', ['list'], { items: ['number'] })).toEqual({
      refused: expect.stringMatching(/in a list/),
    });
    expect(read('a,,b', ['list'], { items: ['text'] })).toEqual({
      refused: expect.stringMatching(/empty item/),
    });
  });

  it('is read as the mapping says', () => {
    expect(read('19.99 USD', ['number'], { type: 'amount' })).toBe(19.99);
    expect(read('19.99 USD', ['text'], { type: 'currency' })).toBe('USD');
    expect(read('$19.99', ['text'], { type: 'currency' })).toEqual({
      refused: expect.stringMatching(/no currency/),
    });
  });
});
