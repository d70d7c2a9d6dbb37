import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { downloadFacts, milliseconds } from './properties.ts';

export const downloadEvents = {
  download_completed: defineEvent({
    family: 'downloads',
    schemaVersion: 1,
    description: 'The last byte of a download that export_downloaded tells of has left.',
    retention: 'business',
    sources: ['server'],
    properties: z.object({
      ...downloadFacts,
      duration: milliseconds
        .optional()
        .describe('Milliseconds from the first to the last byte of the last response'),
    }),
  }),
};
