/** The life of a batch, beside batch_completed: each of its runs has its own. A batch of one item has none. */
import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { count, milliseconds, timestamp } from './properties.ts';

const batchFacts = {
  jobId: z.string().describe("The batch's id"),
  jobType: z.enum(['campaign', 'csv_import']),
  campaignId: z.string().optional().describe("The tenant's own name for it, else the batch's id"),
  projectId: z.string().optional(),
  compositionId: z.string().optional(),
  totalItems: z.int().min(2).describe('Items of this run'),
  variantCount: count.optional(),
  sizeCount: count.optional(),
  run: z.int().min(1).describe('1, and one more for each retry of what failed'),
  timestamp,
};

const ended = {
  successCount: count,
  failCount: count,
  canceledCount: count,
  duration: milliseconds.optional().describe('Milliseconds from the first start to the close'),
};

const batch = <Shape extends z.ZodRawShape>(description: string, shape: Shape) =>
  defineEvent({
    family: 'batches',
    schemaVersion: 1,
    description,
    retention: 'business',
    sources: ['server', 'worker'],
    properties: z.object({ ...batchFacts, ...shape }),
  });

export const batchEvents = {
  batch_started: batch('The first item of a run of a batch was begun.', {}),
  batch_failed: batch('A run of a batch came to its end, and every item that was rendered failed.', ended),
  batch_cancelled: batch('A run of a batch was canceled and has come to its end.', ended),
};
