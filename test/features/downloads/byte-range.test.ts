import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseByteRange } from '../../../src/features/downloads/byte-range.ts';

const size = 1000;
const whole = { type: 'whole' };
const none = { type: 'unsatisfiable' };
const part = (start: number, end: number) => ({ type: 'part', start, end });

describe('a range of bytes', () => {
  test.each([
    [undefined, whole],
    ['', whole],
    ['bytes=0-0', part(0, 0)],
    ['bytes=0-499', part(0, 499)],
    ['bytes=500-999', part(500, 999)],
    ['bytes=0-', part(0, 999)],
    ['bytes=999-', part(999, 999)],
    ['bytes=500-100000', part(500, 999)],
    ['bytes=-1', part(999, 999)],
    ['bytes=-500', part(500, 999)],
    ['bytes=-1000', part(0, 999)],
    ['bytes=-5000', part(0, 999)],
    ['Bytes=0-1', part(0, 1)],
    ['bytes=1000-', none],
    ['bytes=1000-2000', none],
    ['bytes=-0', none],
    [`bytes=${'9'.repeat(400)}-`, none],
    ['bytes=-', whole],
    ['bytes=5-2', whole],
    ['bytes=a-b', whole],
    ['bytes=1.5-2', whole],
    ['bytes=1 2-30', whole],
    ['bytes=--5', whole],
    ['bytes=0-1,5-6', whole],
    ['lines=0-5', whole],
    ['0-5', whole],
  ])('%s', (header, expected) => {
    expect(parseByteRange(header, size)).toEqual(expected);
  });

  test('of an empty file is never a part', () => {
    for (const header of ['bytes=0-0', 'bytes=0-', 'bytes=-5'])
      expect(parseByteRange(header, 0)).toEqual(none);
    expect(parseByteRange(undefined, 0)).toEqual(whole);
  });

  test('that is a part lies inside the file, for any header and size', () => {
    const header = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `bytes=${a}-${b}`),
      fc.nat().map((a) => `bytes=${a}-`),
      fc.nat().map((a) => `bytes=-${a}`),
    );
    fc.assert(
      fc.property(header, fc.nat({ max: 5000 }), (text, length) => {
        const answer = parseByteRange(text, length);
        if (answer.type !== 'part') return;
        expect(answer.start).toBeGreaterThanOrEqual(0);
        expect(answer.start).toBeLessThanOrEqual(answer.end);
        expect(answer.end).toBeLessThan(length);
      }),
    );
  });
});
