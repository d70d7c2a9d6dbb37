import { describe, expect, it } from 'vitest';
import { detectDelimiter } from '../../../src/core/csv/detect-delimiter.ts';
import { detectEncoding, looksBinary } from '../../../src/core/csv/detect-encoding.ts';
import { recogniseOtherFile } from '../../../src/core/csv/recognise-file.ts';
import { latin1ToWindows1252 } from '../../../src/core/csv/windows-1252.ts';

const swap = (bytes: Buffer) => Buffer.from(bytes).swap16();
const mark = (bytes: number[], text: Buffer) => Buffer.concat([Buffer.from(bytes), text]);

describe('the encoding', () => {
  const text = 'name,price\nCafé,12\n';
  const japanese = '名前,価格\n懐中電灯を買う,12\n';
  it.each<[string, Buffer, boolean, string, number]>([
    ['UTF-8', Buffer.from(text), true, 'utf-8', 0],
    ['UTF-8 with a mark', mark([0xef, 0xbb, 0xbf], Buffer.from(text)), true, 'utf-8', 3],
    ['UTF-16LE with a mark', mark([0xff, 0xfe], Buffer.from(text, 'utf16le')), false, 'utf-16le', 2],
    ['UTF-16BE with a mark', mark([0xfe, 0xff], swap(Buffer.from(text, 'utf16le'))), false, 'utf-16be', 2],
    ['UTF-16LE', Buffer.from(text, 'utf16le'), true, 'utf-16le', 0],
    ['UTF-16BE', swap(Buffer.from(text, 'utf16le')), true, 'utf-16be', 0],
    ['Japanese UTF-16LE', Buffer.from(japanese, 'utf16le'), false, 'utf-16le', 0],
    ['Windows-1252', Buffer.from(text, 'latin1'), false, 'windows-1252', 0],
  ])('of %s is found', (_name, bytes, validUtf8, encoding, markLength) => {
    expect(detectEncoding(bytes, validUtf8, undefined)).toEqual({ encoding, markLength });
  });

  it('that was asked for is taken, and its mark is no text', () => {
    expect(detectEncoding(Buffer.from(text), true, 'windows-1252')).toEqual({
      encoding: 'windows-1252',
      markLength: 0,
    });
    expect(detectEncoding(mark([0xef, 0xbb, 0xbf], Buffer.from(text)), true, 'utf-8').markLength).toBe(3);
  });

  it('of a short text with a stray zero is not UTF-16', () => {
    expect(detectEncoding(Buffer.from('a\n1\0\n'), true, undefined).encoding).toBe('utf-8');
  });

  it('Windows-1252 has the signs that Latin-1 lacks', () => {
    expect(latin1ToWindows1252(Buffer.from([0x80, 0x92, 0x99, 0xe9, 0x41]).toString('latin1'))).toBe('€’™éA');
  });

  it('of bytes that are no text is told', () => {
    expect(looksBinary(Buffer.from([1, 2, 3, 200, 201, 65, 66]))).toBe(true);
    expect(looksBinary(Buffer.from('a\tb\r\nc\f', 'latin1'))).toBe(false);
  });
});

describe('the delimiter', () => {
  it.each([
    ['a,b,c\n1;2;3;4;5', ',', 3],
    ['a;b;c\n', ';', 3],
    ['a\tb\tc, d\n', '\t', 3],
    ['a|b\r\n', '|', 2],
    ['"a,b,c";"d";e', ';', 3],
    ['"a ""x"", b";c;d', ';', 3],
    ['"multi\nline,with,commas";b;c;d\n', ';', 4],
    ['size 5";price\n', ';', 2],
    ['name\nx', ',', 1],
    ['\n\na;b\n', ';', 2],
    ['a,b;c', ';', 2],
    ['', ',', 1],
    ['sep=|\na,b|c,d\n', '|', 2],
  ])('of %j is %j', (head, delimiter, columns) => {
    expect(detectDelimiter(head, undefined)).toEqual({ delimiter, columns });
  });

  it('that was asked for is taken', () => {
    expect(detectDelimiter('a,b;c', ',')).toEqual({ delimiter: ',', columns: 2 });
  });
});

describe('another kind of file', () => {
  it.each([
    [Buffer.from('89504e47', 'hex'), /PNG/],
    [Buffer.from('ffd8ffe0', 'hex'), /JPEG/],
    [Buffer.from('%PDF-1.4'), /PDF/],
    [Buffer.from('PK\u0003\u0004xx xl/workbook.xml'), /Excel workbook \(\.xlsx\): save it as CSV UTF-8/],
    [Buffer.from('PK\u0003\u0004 products.csv'), /ZIP/],
    [Buffer.from('d0cf11e0a1b11ae1', 'hex'), /\.xls\)/],
    [Buffer.from('1f8b08', 'hex'), /gzip/],
    [Buffer.from('  <!DOCTYPE html>'), /web page/],
    [Buffer.from('<?xml version="1.0"?>'), /XML/],
    [Buffer.from('{"a":1}'), /JSON/],
  ])('is known by its beginning', (head, what) => {
    expect(recogniseOtherFile(head)).toMatch(what);
  });

  it.each(['name,price\n', '"name","price"\n', '[name],b\n', '{name};b\n', '', 'PK,b\n', '\ufeffa,b'])(
    'is not taken for one: %j',
    (text) => {
      expect(recogniseOtherFile(Buffer.from(text))).toBeNull();
    },
  );
});
