/** A file's text as UTF-8, whatever it is written in: the parser's own encoding, in which every byte offset counts. */
import { createReadStream } from 'node:fs';
import { TextDecoder } from 'node:util';
import { unreadable } from '../../core/csv/csv-header.ts';
import { type CsvEncoding, detectEncoding, looksBinary } from '../../core/csv/detect-encoding.ts';
import { latin1ToWindows1252 } from '../../core/csv/windows-1252.ts';
import type { SpooledFile } from './spool-upload.ts';

export interface DecodedText {
  readonly encoding: CsvEncoding;
  /** UTF-8 without a byte order mark. Throws `csv_unreadable` where the bytes are not of that encoding. */
  readonly chunks: AsyncIterable<Buffer>;
}

const readBytes = 64 * 1024;

/** Throws `csv_unreadable` for what is no text. */
export const decodeText = (file: SpooledFile, asked: CsvEncoding | undefined): DecodedText => {
  const { encoding, markLength } = detectEncoding(file.head, file.validUtf8, asked);
  const isWide = encoding === 'utf-16le' || encoding === 'utf-16be';
  if (!isWide && file.firstZero !== null) {
    throw unreadable(
      `The file is not text: it has zero bytes, the first at offset ${file.firstZero}. Save it as CSV UTF-8.`,
      { offset: file.firstZero },
    );
  }
  if (encoding === 'utf-8' && !file.validUtf8)
    throw unreadable('The file is not valid UTF-8. Save it as CSV UTF-8, or name its encoding.', {
      encoding,
    });
  if (encoding === 'windows-1252' && looksBinary(file.head))
    throw unreadable('The file is not text. Save the table as CSV UTF-8.');
  const bytes = createReadStream(file.path, { start: markLength, highWaterMark: readBytes });
  return { encoding, chunks: decoders[encoding](bytes) };
};

type Decoder = (bytes: AsyncIterable<Buffer>) => AsyncIterable<Buffer>;

async function* fromWindows1252(bytes: AsyncIterable<Buffer>) {
  for await (const chunk of bytes) yield Buffer.from(latin1ToWindows1252(chunk.toString('latin1')));
}

const fromUtf16 = (encoding: 'utf-16le' | 'utf-16be'): Decoder =>
  async function* (bytes) {
    const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true });
    const decode = (chunk?: Buffer): Buffer => {
      const text = decodeOrRefuse(() => decoder.decode(chunk, { stream: chunk !== undefined }), encoding);
      if (text.includes('\0'))
        throw unreadable(`The file is not text in ${encoding}: it has zero characters.`);
      return Buffer.from(text);
    };
    for await (const chunk of bytes) yield decode(chunk);
    yield decode();
  };

const decodeOrRefuse = (decode: () => string, encoding: string): string => {
  try {
    return decode();
  } catch {
    throw unreadable(`The file is not valid ${encoding.toUpperCase()}. Save it as CSV UTF-8.`, { encoding });
  }
};

const decoders: Readonly<Record<CsvEncoding, Decoder>> = {
  'utf-8': (bytes) => bytes,
  'utf-16le': fromUtf16('utf-16le'),
  'utf-16be': fromUtf16('utf-16be'),
  'windows-1252': fromWindows1252,
};
