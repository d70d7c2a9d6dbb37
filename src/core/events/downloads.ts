import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { count, milliseconds, timestamp } from './properties.ts';

export const downloadEvents = {
  download_completed: defineEvent({
    family: 'downloads',
    schemaVersion: 1,
    description: 'The last byte of a download that export_downloaded tells of has left.',
    retention: 'business',
    sources: ['server'],
    properties: z.strictObject({
      exportType: z.enum(['zip', 'single_file']),
      fileCount: z.int().min(1),
      sizeInBytes: count,
      format: z.string().optional(),
      duration: milliseconds
        .optional()
        .describe('Milliseconds from the first to the last byte of the last response'),
      timestamp,
      fileId: z.string().optional(),
      exportId: z.string().optional(),
      batchId: z.string().optional(),
    }),
  }),
};
