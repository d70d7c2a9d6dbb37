import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { downloadFacts, milliseconds } from './properties.ts';

const duration = milliseconds
  .optional()
  .describe('Milliseconds from the first to the last byte of the last response');

export const downloadEvents = {
  download_completed: defineEvent({
    family: 'downloads',
    schemaVersion: 1,
    description:
      'The last byte of a download has left. Of our own files, export_downloaded told of its beginning.',
    retention: 'business',
    sources: ['server'],
    properties: z
      .object({ ...downloadFacts, job_id: z.string(), duration })
      .partial()
      .extend({ exportType: z.string().optional().describe('Ours are zip and single_file') }),
    emitted: z.object({ ...downloadFacts, duration }),
  }),
};
