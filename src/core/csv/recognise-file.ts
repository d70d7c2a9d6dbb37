/** Files that people upload instead of a CSV, known by how they begin. */

const bytes = (...values: readonly number[]) => values;
const ascii = (text: string) => Array.from(text, (character) => character.charCodeAt(0));

const signatures: readonly (readonly [readonly number[], string])[] = [
  [bytes(0x89, 0x50, 0x4e, 0x47), 'a PNG picture'],
  [bytes(0xff, 0xd8, 0xff), 'a JPEG picture'],
  [ascii('GIF8'), 'a GIF picture'],
  [ascii('%PDF-'), 'a PDF document'],
  [bytes(0x1f, 0x8b), 'packed with gzip: unpack it first'],
  [bytes(0xd0, 0xcf, 0x11, 0xe0), 'an old Excel workbook (.xls): save it as CSV UTF-8'],
  [bytes(0xff, 0xfe, 0x00, 0x00), 'text in UTF-32: save it as CSV UTF-8'],
];

const beginsWith = (head: Uint8Array, signature: readonly number[]): boolean =>
  signature.every((byte, index) => head[index] === byte);

const latin1 = (head: Uint8Array, length: number): string => String.fromCharCode(...head.subarray(0, length));

/** Says what the file is, for "The file is …"; null: it may be a CSV. Needs its first kilobyte or two. */
export const recogniseOtherFile = (head: Uint8Array): string | null => {
  if (beginsWith(head, ascii('PK\u0003\u0004'))) {
    return /\[Content_Types\]|xl\/|_rels\//.test(latin1(head, 2048))
      ? 'an Excel workbook (.xlsx): save it as CSV UTF-8'
      : 'a ZIP archive: unpack it first';
  }
  const known = signatures.find(([signature]) => beginsWith(head, signature));
  if (known) return known[1];
  const start = latin1(head, 64).trimStart().toLowerCase();
  if (start.startsWith('<!doctype html') || start.startsWith('<html'))
    return 'a web page: perhaps a link that asks for a login';
  if (start.startsWith('<?xml')) return 'XML: export it as CSV';
  return /^(\{|\[\s*\{)\s*"/.test(start) ? 'JSON: export it as CSV' : null;
};
