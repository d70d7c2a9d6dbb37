/** What JSON lets through and nobody behind it takes: told in one walk, which ends at the first finding. */

/** Deeper ones exhaust the stack of whoever walks them: hashing, validation, Postgres. */
export const maxLevels = 100;

const unstorableText = /\0|\p{Surrogate}/u;
const isStorable = (text: string): boolean => !unstorableText.test(text);

const inList = (list: readonly unknown[], level: number): string | null => {
  for (const inner of list) {
    const found = findIn(inner, level);
    if (found !== null) return found;
  }
  return null;
};

const inObject = (object: Readonly<Record<string, unknown>>, level: number): string | null => {
  for (const key in object) {
    const found = isStorable(key) ? findIn(object[key], level) : unstorable;
    if (found !== null) return found;
  }
  return null;
};

const unstorable = 'must not hold text with the character U+0000 or with half of a surrogate pair';

/** JSON.parse reads 1e999 as Infinity, which JSON.stringify then writes as null. */
const tooLarge = 'must not hold a number that is too large for JSON, such as 1e999';
const tooDeep = `must not be nested deeper than ${maxLevels} levels`;

const findIn = (value: unknown, level: number): string | null => {
  if (typeof value === 'number') return Number.isFinite(value) ? null : tooLarge;
  if (typeof value === 'string') return isStorable(value) ? null : unstorable;
  if (typeof value !== 'object' || value === null) return null;
  // The walk goes no deeper than this, whatever it is given.
  if (level >= maxLevels) return tooDeep;
  return Array.isArray(value)
    ? inList(value, level + 1)
    : inObject(value as Readonly<Record<string, unknown>>, level + 1);
};

/** Null: it can be kept. */
export const findUnstorable = (value: unknown): string | null => findIn(value, 0);
