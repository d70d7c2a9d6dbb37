/** What was found beside what was expected, and how much of it fits. */
import { isDeepStrictEqual } from 'node:util';

export interface Checklist {
  check(what: string, found: unknown, expected: unknown): void;
  /** `expected` says in words what `fits` looks for. */
  fits(what: string, found: unknown, expected: string, fits: boolean): void;
  /** Prints a row for each check under its heading; returns how many failed. */
  print(): number;
}

interface Line {
  readonly heading: string;
  readonly what: string;
  readonly found: string;
  readonly expected: string;
  readonly ok: boolean;
}

const maxText = 44;

const textOf = (value: unknown): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return text.length <= maxText ? text : `${text.slice(0, maxText - 1)}…`;
};

export const createChecklist = (): Checklist & { heading(text: string): void } => {
  const lines: Line[] = [];
  let heading = '';
  const fits: Checklist['fits'] = (what, found, expected, ok) =>
    void lines.push({ heading, what, found: textOf(found), expected: textOf(expected), ok });
  return {
    heading: (text) => {
      heading = text;
    },
    fits,
    check: (what, found, expected) =>
      fits(what, found, expected as string, isDeepStrictEqual(found, expected)),
    print: () => {
      printTable(lines);
      return lines.filter(({ ok }) => !ok).length;
    },
  };
};

const printTable = (lines: readonly Line[]): void => {
  const widthOf = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length));
  const whatWidth = widthOf(lines.map(({ what }) => what));
  const foundWidth = widthOf(lines.map(({ found }) => found));
  let last = '';
  for (const { heading, what, found, expected, ok } of lines) {
    if (heading !== last) console.log(`\n${heading}`);
    last = heading;
    const row = `${ok ? '  ok  ' : '  MISS'}  ${what.padEnd(whatWidth)}  ${found.padEnd(foundWidth)}`;
    console.log(ok ? row.trimEnd() : `${row}  expected ${expected}`);
  }
};
