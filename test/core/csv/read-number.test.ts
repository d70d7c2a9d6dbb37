import { describe, expect, it } from 'vitest';
import { readMoney } from '../../../src/core/csv/read-money.ts';
import { readNumber } from '../../../src/core/csv/read-number.ts';

const sure = { pointIsDecimal: true };
const spreadsheet = { pointIsDecimal: false };
const read = (text: string, style: Parameters<typeof readNumber>[1] = sure) => {
  const reading = readNumber(text, style);
  return reading.type === 'number' ? reading.value : reading.reason;
};

describe('a number', () => {
  it.each([
    ['1234', 1234],
    ['-12.50', -12.5],
    ['+5', 5],
    ['.5', 0.5],
    ['1e3', 1000],
    ['1.23E+05', 123_000],
    [' 7 ', 7],
    ['\u22123', -3],
    ['12,50', 12.5],
    ['0,125', 0.125],
    ['1234,567', 1234.567],
    ['1.234,56', 1234.56],
    ['1,234.56', 1234.56],
    ['1.234.567', 1_234_567],
    ['1,234,567', 1_234_567],
    ['1,234,567.8', 1_234_567.8],
    ['1 234,56', 1234.56],
    ['1\u202f234\u202f567', 1_234_567],
    ["1'234.50", 1234.5],
    ['1.234', 1.234],
  ])('is read from %j', (text, value) => {
    expect(read(text)).toBe(value);
  });

  it.each([
    '',
    '-',
    'abc',
    '12abc',
    '€12',
    '12 %',
    '1,23,456',
    '1.23.456',
    '1,234.567,8',
    '0x10',
    'NaN',
    'Infinity',
    '12.',
    '1..2',
    '٣',
  ])('is not read from %j', (text) => {
    if (text === '12.') return expect(read(text)).toBe(12);
    expect(read(text)).toMatch(/is not a number/);
  });

  it('that may be two is refused, and mended by saying what separates the decimals', () => {
    expect(read('1,234')).toBe(
      'may be 1234 or 1.234: write it without a thousands separator, or say "decimal": "point" or "comma"',
    );
    expect(read('1,234', { ...sure, decimal: 'point' })).toBe(1234);
    expect(read('1,234', { ...sure, decimal: 'comma' })).toBe(1.234);
  });

  it('with a point before three digits may be thousands, where semicolons tell of a spreadsheet with decimal commas', () => {
    expect(read('1.299', spreadsheet)).toMatch(/may be 1299 or 1.299/);
    expect(read('1.299', { ...spreadsheet, decimal: 'comma' })).toBe(1299);
    expect(read('1.299', { ...spreadsheet, decimal: 'point' })).toBe(1.299);
    expect(read('12.99', spreadsheet)).toBe(12.99);
  });

  it('of the other style is refused where the style was said', () => {
    expect(read('12,50', { ...sure, decimal: 'point' })).toMatch(/is not a number/);
    expect(read('12.5', { ...sure, decimal: 'comma' })).toMatch(/is not a number/);
  });

  it('beyond what a double holds is refused', () => {
    expect(read('1e999')).toBe('is too large a number');
    expect(read('9'.repeat(400))).toBe('is too large a number');
  });
});

describe('a price', () => {
  it.each([
    ['19.99 USD', 19.99, 'USD'],
    ['EUR 19.99', 19.99, 'EUR'],
    ['19,99 €', 19.99, 'EUR'],
    ['£5', 5, 'GBP'],
    ['1.234,50 eur', 1234.5, 'EUR'],
    ['$12.00', 12, null],
    ['12', 12, null],
  ])('is read from %j', (text, amount, currency) => {
    expect(readMoney(text, sure)).toEqual({ type: 'money', amount, currency });
  });

  it.each(['USD', 'free', '19.99 dollars', '1 USD 2'])('is not read from %j', (text) => {
    expect(readMoney(text, sure)).toMatchObject({
      type: 'refused',
      reason: expect.stringMatching(/such as 19.99 USD/),
    });
  });
});
