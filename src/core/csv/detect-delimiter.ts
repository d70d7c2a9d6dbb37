/** Which character separates the cells, told by the header record: it is what stands there most often outside of quotes. */
export const delimiters = [',', ';', '\t', '|'] as const;
export type Delimiter = (typeof delimiters)[number];

export interface DetectedDelimiter {
  readonly delimiter: Delimiter;
  /** Of the header, as far as it was seen. */
  readonly columns: number;
}

/** Of equally many the one that is rarer within names of columns. */
const preference: readonly Delimiter[] = ['\t', '|', ';', ','];

const isDelimiter = (character: string): character is Delimiter =>
  (delimiters as readonly string[]).includes(character);

const countInFirstRecord = (text: string): Map<Delimiter, number> => {
  const counts = new Map<Delimiter, number>();
  let quoted = false;
  let atStart = true;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (quoted) {
      if (character === '"' && text[index + 1] === '"') index += 1;
      else if (character === '"') quoted = false;
      continue;
    }
    if (character === '\n' || character === '\r') break;
    // Elsewhere a quote is a character of the cell, such as the sign for inches.
    if (character === '"' && atStart) quoted = true;
    atStart = isDelimiter(character);
    if (isDelimiter(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  return counts;
};

/** The first line of some Excel files, which is no record: sep=; */
const separatorLine = /^sep=(.)(\r\n|\n|\r|$)/i;

/** Characters of such a line, its end included; 0: there is none. */
export const separatorLineLength = (head: string): number => separatorLine.exec(head)?.[0].length ?? 0;

const mostFrequent = (counts: ReadonlyMap<Delimiter, number>): Delimiter => {
  const [best] = preference
    .filter((one) => counts.has(one))
    .toSorted((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  return best ?? ',';
};

/** `head`: decoded, and long enough to hold the header record. A file of one column has none of them: a comma then. */
export const detectDelimiter = (head: string, asked: Delimiter | undefined): DetectedDelimiter => {
  const named = separatorLine.exec(head)?.[1];
  const counts = countInFirstRecord(head.slice(separatorLineLength(head)).replace(/^[\r\n]+/, ''));
  const known = asked ?? (named !== undefined && isDelimiter(named) ? named : undefined);
  const delimiter = known ?? mostFrequent(counts);
  return { delimiter, columns: (counts.get(delimiter) ?? 0) + 1 };
};
