import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCells } from './read-file.ts';

const encoders: Readonly<Record<string, (text: string) => Buffer>> = {
  'utf-8': (text) => Buffer.from(text),
  'utf-8 with a mark': (text) => Buffer.from(`\ufeff${text}`),
  'utf-16le': (text) => Buffer.from(text, 'utf16le'),
  'utf-16le with a mark': (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  'utf-16be with a mark': (text) => Buffer.from(`\ufeff${text}`, 'utf16le').swap16(),
};

const needsQuotes = (cell: string, delimiter: string) =>
  cell === '' || /["\r\n]/.test(cell) || cell.includes(delimiter);
const quote = (cell: string) => `"${cell.replaceAll('"', '""')}"`;

/** Lines before each record, counted by the text itself. */
const linesOf = (texts: readonly string[], end: string) => {
  let line = 1;
  return texts.map((text) => {
    const begins = line;
    line += (text + end).match(/\r\n|\n|\r/g)?.length ?? 0;
    return begins;
  });
};

const cell = fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => text.replaceAll('\0', ''));
const spicy = fc.oneof(
  cell,
  fc.constantFrom(
    '',
    'a,b',
    'a;b',
    'x\ty',
    'p|q',
    '"',
    '""',
    'two\nlines',
    'win\r\ndows',
    'mac\rold',
    ' spaces ',
    '5" pipe',
    'é€日本😀',
  ),
);
const table = fc
  .integer({ min: 1, max: 6 })
  .chain((columns) =>
    fc.array(fc.array(spicy, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 12 }),
  );

describe('any table', () => {
  it('is read back, cell by cell and line by line, in any encoding, with any delimiter, line end and quoting', async () => {
    await fc.assert(
      fc.asyncProperty(
        table,
        fc.constantFrom(',', ';', '\t', '|'),
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.constantFrom(...Object.keys(encoders)),
        fc.boolean(),
        fc.boolean(),
        fc.integer({ min: 1, max: 50 }),
        async (rows, delimiter, end, encoding, quoteAll, endsWithLine, pieceBytes) => {
          const header = (rows[0] ?? []).map((_, index) => `column ${index}`);
          const all = [header, ...rows];
          const texts = all.map((cells) =>
            cells.map((one) => (quoteAll || needsQuotes(one, delimiter) ? quote(one) : one)).join(delimiter),
          );
          const content = texts.join(end) + (endsWithLine ? end : '');
          const encode = encoders[encoding] ?? ((text: string) => Buffer.from(text));
          const read = await readCells(encode(content), pieceBytes);
          expect(read.encoding).toBe(encoding.split(' ')[0]);
          if (header.length > 1) expect(read.delimiter).toBe(delimiter);
          if (header.length > 1 || delimiter === ',') {
            expect(read.records.map((one) => one.cells)).toEqual(all);
            expect(read.records.map((one) => one.line)).toEqual(linesOf(texts, end));
          }
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);
});

describe('a text', () => {
  it.each<[string, Uint8Array, string, string[][]]>([
    [
      'of Windows-1252',
      Buffer.from('name;price\nCaf\u00e9 \u0080;5\n', 'latin1'),
      'windows-1252',
      [
        ['name', 'price'],
        ['Café €', '5'],
      ],
    ],
    [
      'with a line for Excel',
      Buffer.from('sep=;\r\na;b\r\n1;2\r\n'),
      'utf-8',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'with a quote within a cell',
      Buffer.from('a,b\n5" pipe,"x"y\n1,2\n'),
      'utf-8',
      [
        ['a', 'b'],
        ['5" pipe', '"x"y'],
        ['1', '2'],
      ],
    ],
    [
      'with formulas, which are text here',
      Buffer.from('a,b\n=1+1,@x\n'),
      'utf-8',
      [
        ['a', 'b'],
        ['=1+1', '@x'],
      ],
    ],
  ])('%s is read', async (_name, content, encoding, rows) => {
    const read = await readCells(content, 7);
    expect(read.encoding).toBe(encoding);
    expect(read.records.map((one) => one.cells)).toEqual(rows);
  });

  it('that breaks off within a character is not UTF-8', async () => {
    expect((await readCells(Buffer.from('name\nCafé').subarray(0, -1), 3)).encoding).toBe('windows-1252');
  });

  it.each([
    ['half a surrogate pair', Buffer.from('\ufeffa,b\n\ud800,x\n', 'utf16le')],
    ['an odd number of bytes', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le').subarray(0, -1)],
  ])('in UTF-16 with %s is refused', async (_name, content) => {
    await expect(readCells(content, 5)).rejects.toMatchObject({
      code: 'csv_unreadable',
      message: expect.stringMatching(/not valid UTF-16LE/),
    });
  });

  it('whose quote is never closed is refused with the line on which its record begins', async () => {
    await expect(readCells(Buffer.from('a,b\r\n"x\r\ny",2\r\n3,"4\r\n5,6\r\n'), 9)).rejects.toMatchObject({
      code: 'csv_unreadable',
      message: expect.stringMatching(/line 4,/),
    });
  });
});
