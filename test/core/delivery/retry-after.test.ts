import { expect, test } from 'vitest';
import { readRetryAfter } from '../../../src/core/delivery/retry-after.ts';

const now = new Date('2026-03-10T12:00:00.000Z');
const day = 24 * 3_600_000;

test.each([
  ['120', 120_000],
  [' 7 ', 7_000],
  ['Tue, 10 Mar 2026 12:00:30 GMT', 30_000],
  ['999999999999', day],
  ['9'.repeat(400), day],
  ['Tue, 10 Mar 2099 12:00:30 GMT', day],
])('Retry-After: %s waits %d ms', (header, waits) => expect(readRetryAfter(header, now)).toBe(waits));

test.each([
  undefined,
  '',
  '0',
  'Tue, 10 Mar 2026 11:00:00 GMT',
  'soon',
  '-5',
  '1.5',
  '1e3',
  '2027-01-01',
  'Tuesday, perhaps',
  'NaN',
])('Retry-After: %s says nothing', (header) => expect(readRetryAfter(header, now)).toBeUndefined());
