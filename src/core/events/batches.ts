/** The life of a batch, beside batch_completed. Ours are runs of more than one item; a tenant's may be anything that it makes in batches. */
import { z } from 'zod';
import { defineEvent, type EventDefinition } from './define-event.ts';
import { count, foreignId, milliseconds, text, timestamp } from './properties.ts';

/** The contract with whoever else has batches. */
export const openBatchFacts = {
  jobId: text.describe("The batch's id"),
  batch_id: foreignId.optional().describe("The batch's id, in a product that names it so"),
  recipe_id: foreignId.optional(),
  jobType: text.describe('Ours are campaign and csv_import'),
  campaignId: text.describe("The tenant's own name for it, else the batch's id"),
  projectId: text,
  compositionId: text,
  totalItems: count.optional(),
  variantCount: count.optional(),
  sizeCount: count.optional(),
  run: count.optional().describe('1, and one more for each retry of what failed'),
  timestamp: timestamp.optional(),
};

export const openBatchEnd = {
  successCount: count.optional(),
  failCount: count.optional(),
  canceledCount: count.optional().describe('Items that were canceled one by one; in neither count'),
  cachedCount: count.optional().describe('Of the successes: files that were used again'),
  duration: milliseconds.optional().describe('Milliseconds from the first start to the close'),
};

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

const shared = {
  family: 'batches',
  schemaVersion: 1,
  retention: 'business',
  sources: ['server', 'worker'],
} as const satisfies Partial<EventDefinition>;

const ratio = z.number().min(0).max(1);
const rate = z.number().min(0);

export const batchEvents = {
  batch_started: defineEvent({
    ...shared,
    description: 'The first item of a run of a batch was begun.',
    countsUse: true,
    properties: z.object(openBatchFacts),
    emitted: z.object(batchFacts),
  }),
  batch_failed: defineEvent({
    ...shared,
    description: 'A run of a batch came to its end, and every item that was rendered failed.',
    properties: z.object({
      ...openBatchFacts,
      ...openBatchEnd,
      failure_reason: z.string().nullable().optional(),
    }),
    emitted: z.object({ ...batchFacts, ...ended }),
  }),
  batch_cancelled: defineEvent({
    ...shared,
    description: 'A run of a batch was canceled and has come to its end.',
    aliases: ['batch_canceled'],
    properties: z.object({ ...openBatchFacts, ...openBatchEnd, reason: text }),
    emitted: z.object({ ...batchFacts, ...ended }),
  }),
  batch_metrics_computed: defineEvent({
    ...shared,
    description: 'How well a batch went, in numbers. Of our own batches it is concluded from their end.',
    properties: z.object({
      jobId: text.describe("The batch's id"),
      batch_id: foreignId.optional().describe("The batch's id, in a product that names it so"),
      success_rate: ratio.optional().describe('0 to 1'),
      items_per_minute: rate.optional(),
      duration: milliseconds.optional().describe('Milliseconds from the first start to the close'),
    }),
    emitted: z.object({
      jobId: z.string().describe("The batch's id"),
      success_rate: ratio.describe('0 to 1'),
      items_per_minute: rate,
      duration: milliseconds.optional().describe('Milliseconds from the first start to the close'),
    }),
  }),
};
