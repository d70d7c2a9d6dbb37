/** Which names somebody may have meant. */
import { isBeginning } from '../delivery/match-names.ts';

/** Letters that are wrong, missing, too many, or swapped with their neighbour (optimal string alignment). */
const distance = (a: string, b: string): number => {
  const rows = [Array.from({ length: b.length + 1 }, (_, n) => n)];
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    const at = (up: number, column: number): number => rows[i - up]?.[column] ?? 0;
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        at(1, j) + 1,
        (row[j - 1] ?? 0) + 1,
        at(1, j - 1) + (isSame ? 0 : 1),
        isSwap ? at(2, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    rows.push(row);
  }
  return rows[a.length]?.[b.length] ?? 0;
};

const shownNames = 5;
/** What lies behind it is not compared: the time grows with the square of it, and the name is a stranger's. */
const longestCompared = 40;

/**
 * The known names that are nearest to a name, or to a beginning such as `vidoe_*`, five at most: those that differ by a letter in four or
 * fewer, then those that share whole words with it.
 */
export const similarNames = (name: string, known: readonly string[]): readonly string[] => {
  const text = (isBeginning(name) ? name.slice(0, -1) : name).toLowerCase().slice(0, longestCompared);
  const words = new Set(text.split('_').filter((word) => word !== ''));
  const mostWrong = Math.max(1, Math.floor(text.length / 4));
  return known
    .map((one) => {
      const wrong = distance(
        text,
        isBeginning(name) ? one.slice(0, text.length) : one.slice(0, longestCompared),
      );
      const shared = one.split('_').filter((word) => words.has(word)).length;
      return { one, shared, wrong: wrong <= mostWrong ? wrong : Number.POSITIVE_INFINITY };
    })
    .filter(({ shared, wrong }) => shared > 0 || wrong <= mostWrong)
    .toSorted((a, b) => (a.wrong === b.wrong ? b.shared - a.shared : a.wrong - b.wrong))
    .slice(0, shownNames)
    .map(({ one }) => one);
};

/** A sentence to append, or nothing. */
export const didYouMean = (similar: readonly string[]): string =>
  similar.length === 0 ? '' : ` Did you mean ${similar.join(', ')}?`;
