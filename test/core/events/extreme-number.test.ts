import { expect, test } from 'vitest';
import { readEventInput } from '../../../src/core/events/event-input.ts';
import { hasExtremeNumber } from '../../../src/core/events/extreme-number.ts';

test.each([
  [{ price: 29.9, at: 1_700_000_000_000, ratio: 1e-9, none: 0 }, false],
  [{ n: 1e308 }, true],
  [{ list: [1, { deep: -1e31 }] }, true],
  [{ tiny: 1e-200 }, true],
  [{ text: '1e308' }, false],
  [null, false],
])('%j', (value, extreme) => {
  expect(hasExtremeNumber(value)).toBe(extreme);
});

test('an event with one is refused: Postgres would print it in hundreds of digits each time it is read', () => {
  expect(readEventInput({ event: 'cta_click', properties: { n: 1e308 } })).toMatchObject({
    type: 'refused',
    message: expect.stringContaining('1e30'),
  });
});
