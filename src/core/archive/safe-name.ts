/**
 * One segment of an entry's name that every file system takes: no separator, no control or bidirectional character, no reserved
 * name of Windows, no dot or space at an end, and few enough bytes. Letters of every script stay, in NFC.
 */

/** Of a part; a segment joins up to three and an extension, and no file system takes more than 255 bytes. */
const maxPartBytes = 72;

const unsafe = /[^\p{L}\p{M}\p{N}._-]+/gu;
/** A hyphen or a dot in front makes an option or a hidden file; a combining mark would join the slash before it. */
const badStart = /^[.\-\p{M}]+/u;
const badEnd = /[.-]+$/;
const reserved = /^(con|prn|aux|nul|conin|conout|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

const encoder = new TextEncoder();
export const byteLength = (text: string): number => encoder.encode(text).length;

/** Whole characters only. */
const cutTo = (text: string, maxBytes: number): string => {
  if (byteLength(text) <= maxBytes) return text;
  let kept = '';
  let bytes = 0;
  for (const character of text) {
    bytes += byteLength(character);
    if (bytes > maxBytes) break;
    kept += character;
  }
  return kept;
};

/** May be empty: nothing of the text can stand in a name. */
export const safePart = (text: string): string =>
  cutTo(text.normalize('NFC').replace(unsafe, '-').replace(badStart, ''), maxPartBytes).replace(badEnd, '');

const notReserved = (segment: string): string => (reserved.test(segment) ? `_${segment}` : segment);

export const safeFolder = (text: string, fallback: string): string => notReserved(safePart(text) || fallback);

/** The parts that have something to say, joined by a hyphen. */
export const safeFile = (parts: readonly string[], extension: string, fallback: string): string => {
  const stem = parts.map(safePart).filter(Boolean).join('-') || fallback;
  return notReserved(`${stem}.${extension}`);
};

/** Names that are one to a file system which ignores case (Windows, macOS) have one key. */
const keyOf = (name: string): string => name.toUpperCase().toLowerCase().normalize('NFD');

/** A second file of a name becomes `name-2.png`; order decides who keeps the plain one. */
export const uniqueNames = (names: readonly string[], taken: readonly string[] = []): readonly string[] => {
  const used = new Set(taken.map(keyOf));
  const next = new Map<string, number>();
  return names.map((name) => {
    const key = keyOf(name);
    const dot = name.lastIndexOf('.');
    let unique = name;
    let count = next.get(key) ?? 2;
    while (used.has(keyOf(unique))) {
      unique = `${name.slice(0, dot)}-${count}${name.slice(dot)}`;
      count += 1;
    }
    next.set(key, count);
    used.add(keyOf(unique));
    return unique;
  });
};
