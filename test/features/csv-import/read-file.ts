/** A file's rows, read as an import reads them, without a service around it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type CsvImportOptions, csvImportOptionsSchema } from '../../../src/core/csv/import-options.ts';
import type { RowVariant } from '../../../src/core/csv/map-row.ts';
import { decodeText } from '../../../src/features/csv-import/decode-text.ts';
import { type CsvRecord, openCsv } from '../../../src/features/csv-import/read-records.ts';
import { type FileReport, readRows } from '../../../src/features/csv-import/read-rows.ts';
import { type SpooledFile, spoolUpload } from '../../../src/features/csv-import/spool-upload.ts';
import { card, order } from './csv-form.ts';

const withFile = async <T>(
  chunks: Iterable<Uint8Array>,
  use: (file: SpooledFile) => Promise<T>,
): Promise<T> => {
  const directory = await mkdtemp(join(tmpdir(), 'rendermill-csv-'));
  try {
    return await use(await spoolUpload(Readable.from(chunks), directory));
  } finally {
    await rm(directory, { recursive: true });
  }
};

export const readAll = (
  content: string | Uint8Array,
  given: Partial<
    Pick<
      CsvImportOptions,
      'preset' | 'mapping' | 'nameColumn' | 'localeColumn' | 'decimal' | 'delimiter' | 'encoding'
    >
  > = {},
  composition: { id: string; schema: Record<string, unknown> | null; defaults: Record<string, unknown> } = {
    id: card.id,
    schema: card.propsSchema,
    defaults: card.defaultProps,
  },
): Promise<{ report: FileReport; variants: RowVariant[] }> =>
  withFile([Buffer.from(content)], async (file) => {
    const variants: RowVariant[] = [];
    const report = await readRows(file, {
      options: csvImportOptionsSchema.parse({ ...order, ...given }),
      composition,
      judge: (many) => many.map(() => []),
      onVariant: async (variant) => void variants.push(variant),
      onRefused: () => undefined,
      signal: new AbortController().signal,
    });
    return { report, variants };
  });

/** Every record, as it is parsed; the content arrives in pieces of that many bytes. */
export const readCells = (
  content: Uint8Array,
  pieceBytes: number,
): Promise<{ encoding: string; delimiter: string; records: CsvRecord[] }> => {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < content.length; at += pieceBytes) pieces.push(content.subarray(at, at + pieceBytes));
  return withFile(pieces, async (file) => {
    const { encoding, chunks } = decodeText(file, undefined);
    const { delimiter, records } = await openCsv(chunks, undefined);
    const found: CsvRecord[] = [];
    for await (const record of records) found.push(record);
    return { encoding, delimiter, records: found };
  });
};
