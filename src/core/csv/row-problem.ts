/** What is wrong with a row, for the person who mends the file. */
import { maxListedProblems } from './csv-limits.ts';

export interface RowProblem {
  /** Of the file, from 1: where the record begins. */
  readonly line: number;
  /** As the header names it; null: the row as a whole. */
  readonly column: string | null;
  readonly reason: string;
  /** What the cell holds, shortened. */
  readonly value?: string;
}

const shownCharacters = 80;

/** A cell may hold a megabyte, and a message that repeats it is no message. */
export const shorten = (text: string, characters: number = shownCharacters): string => {
  const start = Array.from(text.slice(0, characters * 2));
  return start.length > characters || text.length > characters * 2
    ? `${start.slice(0, characters - 1).join('')}…`
    : text;
};

export interface ProblemList {
  add(problem: RowProblem): void;
  /** At most `maxListedProblems`. */
  readonly listed: readonly RowProblem[];
  readonly count: number;
}

export const createProblemList = (): ProblemList => {
  const listed: RowProblem[] = [];
  let count = 0;
  return {
    add: (problem) => {
      count += 1;
      if (listed.length < maxListedProblems) listed.push(problem);
    },
    listed,
    get count() {
      return count;
    },
  };
};
