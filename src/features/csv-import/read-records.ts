/** The records of a CSV, one after the other, each with the line on which it begins. */
import { pipeline, Readable } from 'node:stream';
import { CsvError, type InfoRecord, parse } from 'csv-parse';
import { unreadable } from '../../core/csv/csv-header.ts';
import { maxColumns, maxRecordBytes } from '../../core/csv/csv-limits.ts';
import { type Delimiter, detectDelimiter, separatorLineLength } from '../../core/csv/detect-delimiter.ts';
import { createLineIndex } from './line-index.ts';

export interface CsvRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface OpenCsv {
  readonly delimiter: Delimiter;
  /** Empty lines are records of one empty cell. Throws `csv_unreadable`. */
  readonly records: AsyncGenerator<CsvRecord, void>;
}

/** A header that is longer has more columns than are read, by far. */
const sampleBytes = 64 * 1024;
/** What the streams in between may hold of records that are complete. */
const slackBytes = 512 * 1024;

/** Throws `csv_unreadable`. */
export const openCsv = async (
  text: AsyncIterable<Buffer>,
  asked: Delimiter | undefined,
): Promise<OpenCsv> => {
  const chunks = text[Symbol.asyncIterator]();
  const sample = await takeSample(chunks);
  const { delimiter, columns } = detectDelimiter(sample.toString(), asked);
  if (columns > maxColumns) {
    await chunks.return?.();
    throw unreadable(`The file has ${columns} columns or more; at most ${maxColumns} are read.`, { line: 1 });
  }
  return { delimiter, records: readRecords(sample, chunks, delimiter) };
};

const takeSample = async (chunks: AsyncIterator<Buffer>): Promise<Buffer> => {
  const taken: Buffer[] = [];
  for (let length = 0; length < sampleBytes; ) {
    const next = await chunks.next();
    if (next.done) break;
    taken.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(taken);
};

interface ParsedRecord {
  readonly cells: readonly string[];
  /** Offset behind it. */
  readonly end: number;
}

async function* readRecords(
  sample: Buffer,
  rest: AsyncIterator<Buffer>,
  delimiter: Delimiter,
): AsyncGenerator<CsvRecord, void> {
  const separatorLine = Buffer.byteLength(sample.toString().slice(0, separatorLineLength(sample.toString())));
  const lines = createLineIndex(separatorLine === 0 ? 1 : 2);
  // Ends of the record that was parsed last, and of the one that was handed out last.
  let parsedEnd = 0;
  let end = 0;
  const parser = parse({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    // A quote within a cell is a character of it, such as the sign for inches.
    relax_quotes: true,
    // Judged by whoever knows the header.
    relax_column_count: true,
    on_record: (cells: string[], { bytes }: InfoRecord): ParsedRecord => {
      parsedEnd = bytes;
      return { cells, end: bytes };
    },
  } as object);

  const feed = async function* () {
    let fed = 0;
    try {
      for (let chunk: Buffer | undefined = sample.subarray(separatorLine); chunk !== undefined; ) {
        lines.add(chunk);
        fed += chunk.length;
        yield chunk;
        if (fed - parsedEnd > maxRecordBytes + slackBytes) throw recordTooLong(lines.lineAt(parsedEnd));
        const next: IteratorResult<Buffer> = await rest.next();
        chunk = next.done ? undefined : next.value;
      }
    } finally {
      await rest.return?.();
    }
  };
  // Its error comes out of the loop below.
  pipeline(Readable.from(feed(), { objectMode: false }), parser, () => undefined);
  try {
    for await (const parsed of parser as AsyncIterable<ParsedRecord>) {
      const line = lines.lineAt(end);
      if (parsed.end - end > maxRecordBytes) throw recordTooLong(line);
      end = parsed.end;
      yield { line, cells: parsed.cells };
    }
  } catch (error) {
    throw error instanceof CsvError ? explain(error, lines.lineAt(parsedEnd)) : error;
  }
}

const recordTooLong = (line: number) =>
  unreadable(
    `The record that begins on line ${line} is longer than ${maxRecordBytes / 1024} kB: perhaps a quote is opened there and never closed.`,
    { line },
  );

const explain = (error: CsvError, line: number) =>
  error.code === 'CSV_QUOTE_NOT_CLOSED'
    ? unreadable(`A quote is opened in the record that begins on line ${line}, and never closed.`, { line })
    : unreadable(`The record that begins on line ${line} cannot be read as CSV.`, { line });
