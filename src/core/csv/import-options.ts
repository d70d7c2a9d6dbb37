/** What a tenant may say about an import. The same schema validates the request and makes the API's documentation. */
import { z } from 'zod';
import { batchOrderMismatches, batchOrderShape } from '../batch-order.ts';
import { findUnstorable } from '../nesting.ts';
import { delimiters } from './detect-delimiter.ts';
import { csvEncodings } from './detect-encoding.ts';
import { parsePropPath } from './prop-path.ts';
import { cellTypes } from './read-cell.ts';

export const presetNames = ['none', 'shopify', 'woocommerce', 'google-merchant'] as const;
export type PresetName = (typeof presetNames)[number];

const maxMappedProps = 500;
const columnNameSchema = z.string().trim().min(1).max(500);

const columnMappingSchema = z
  .strictObject({
    column: columnNameSchema.optional().describe('Absent: every row has the default'),
    default: z
      .unknown()
      .optional()
      .superRefine((value, context) => {
        const found = findUnstorable(value);
        if (found !== null) context.addIssue({ code: 'custom', message: found });
      })
      .describe('JSON: the value where the cell is empty'),
    type: z
      .enum(cellTypes)
      .optional()
      .describe("How the cell is read; absent: as the composition's schema says"),
  })
  .refine((one) => one.column !== undefined || one.default !== undefined, 'needs a column or a default');

const mappingSchema = z
  .record(z.string().max(500), z.union([columnNameSchema, columnMappingSchema, z.null()]))
  .superRefine((mapping, context) => {
    const names = Object.keys(mapping);
    if (names.length > maxMappedProps)
      context.addIssue({ code: 'custom', message: `must not name more than ${maxMappedProps} props` });
    for (const name of names.filter((one) => parsePropPath(one) === null))
      context.addIssue({
        code: 'custom',
        path: [name],
        message: 'is not the path of a prop such as price or rating.value',
      });
  });

export const csvImportOptionsSchema = z
  .strictObject({
    ...batchOrderShape,
    preset: z.enum(presetNames).default('none').describe('The shop whose export the file is'),
    mapping: mappingSchema
      .default({})
      .describe(
        'Props by path, such as price or rating.value, with the column that fills them; null: none does. Props that are not named here are filled by the preset, then by columns of their own name, where upper case, spaces, - and _ do not matter',
      ),
    nameColumn: columnNameSchema
      .optional()
      .describe("What a row's files are named by; absent: the preset's, else the line"),
    localeColumn: columnNameSchema.optional().describe('Absent: a column called locale, if there is one'),
    delimiter: z.enum(delimiters).optional().describe('Absent: detected from the header'),
    encoding: z.enum(csvEncodings).optional().describe('Absent: detected'),
    decimal: z
      .enum(['point', 'comma'])
      .optional()
      .describe(
        'What separates decimals; absent: told from each number, and refused where it could be either',
      ),
    dryRun: z.boolean().default(false).describe('Read and judge all of it, accept nothing'),
    onError: z
      .enum(['abort', 'skip'])
      .default('abort')
      .describe('A bad row: refuse the whole file, or import the others'),
  })
  .superRefine((options, context) => {
    for (const { path, message } of batchOrderMismatches(options))
      context.addIssue({ code: 'custom', path: [...path], message });
  });

export type CsvImportOptions = z.infer<typeof csvImportOptionsSchema>;
