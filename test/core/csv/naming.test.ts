import { expect, test } from 'vitest';
import { createNaming } from '../../../src/core/csv/map-row.ts';

test('no two rows of a locale have one name, whatever their case', () => {
  const nameOf = createNaming();
  expect(['a', 'A', 'a', 'b'].map((name) => nameOf(name, 'en'))).toEqual(['a', 'A-2', 'a-3', 'b']);
  expect(nameOf('a', 'de')).toBe('a');
});

test('many long names that begin alike are told apart without trying each number for each of them', () => {
  const nameOf = createNaming();
  const names = Array.from(
    { length: 20_000 },
    (_, index) => `${'p'.repeat(92)}${String(index % 10_000).padStart(8, '0')}`,
  );
  const made = names.map((name) => nameOf(name, null).toLowerCase());
  expect(new Set(made).size).toBe(names.length);
});
