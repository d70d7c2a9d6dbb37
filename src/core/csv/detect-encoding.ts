/** Which encoding a text is in. Files do not say it: there is a byte order mark, or there is what the bytes can be. */
export const csvEncodings = ['utf-8', 'utf-16le', 'utf-16be', 'windows-1252'] as const;
export type CsvEncoding = (typeof csvEncodings)[number];

export interface DetectedEncoding {
  readonly encoding: CsvEncoding;
  /** Bytes of the byte order mark, which is not text. */
  readonly markLength: number;
}

const marks: readonly (readonly [CsvEncoding, readonly number[]])[] = [
  ['utf-8', [0xef, 0xbb, 0xbf]],
  ['utf-16le', [0xff, 0xfe]],
  ['utf-16be', [0xfe, 0xff]],
];

const markOf = (head: Uint8Array): DetectedEncoding | null => {
  const found = marks.find(([, mark]) => mark.every((byte, index) => head[index] === byte));
  return found ? { encoding: found[0], markLength: found[1].length } : null;
};

/** Delimiters, digits and line ends are zero in their high byte, whatever the language: these many of all pairs at least. */
const leastZeroShare = 0.02;
/** A stray zero in a short file does not make it UTF-16. */
const fewestZeros = 4;

const utf16Of = (head: Uint8Array): CsvEncoding | null => {
  const zeros: [number, number] = [0, 0];
  for (let index = 0; index < head.length; index++) if (head[index] === 0) zeros[index & 1 ? 1 : 0] += 1;
  const [even, odd] = zeros;
  const enough = Math.max(fewestZeros, (head.length / 2) * leastZeroShare);
  if (odd >= enough && odd > even * 4) return 'utf-16le';
  return even >= enough && even > odd * 4 ? 'utf-16be' : null;
};

/**
 * `head`: the first bytes, as many as there are up to some kilobytes. `validUtf8`: of the whole file. A mark decides; then UTF-16
 * without one, by where its zeros are; then UTF-8; and what is none of them is Windows-1252, in which every byte is a character.
 */
export const detectEncoding = (
  head: Uint8Array,
  validUtf8: boolean,
  asked: CsvEncoding | undefined,
): DetectedEncoding => {
  const marked = markOf(head);
  if (asked !== undefined) return marked?.encoding === asked ? marked : { encoding: asked, markLength: 0 };
  if (marked) return marked;
  return { encoding: utf16Of(head) ?? (validUtf8 ? 'utf-8' : 'windows-1252'), markLength: 0 };
};

/** Tab, line feed, vertical tab, form feed, carriage return. */
const isControl = (byte: number): boolean => byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d);

/** Whether bytes of one per character, such as Windows-1252, are more likely no text at all. */
export const looksBinary = (head: Uint8Array): boolean => {
  let controls = 0;
  for (const byte of head) if (isControl(byte)) controls += 1;
  return controls * 100 > head.length;
};
