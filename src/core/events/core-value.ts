/** Core value: someone got what the product is for. Source: the document on core value events. */
import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { count, downloadFacts, exportFacts, milliseconds, pixels, timestamp } from './properties.ts';

export const coreValueEvents = {
  video_rendered: defineEvent({
    family: 'core_value',
    schemaVersion: 1,
    description: 'A render succeeded: every one, the first included, still or video, single or in a batch.',
    retention: 'business',
    sources: ['worker', 'server'],
    properties: z.object({
      compositionId: z.string(),
      templateId: z.string().optional(),
      format: z.string(),
      width: pixels,
      height: pixels,
      sizeInBytes: count.optional(),
      duration: milliseconds.optional().describe('Milliseconds of rendering'),
      timestamp,
      userId: z.string().optional(),
      ...exportFacts,
      cached: z.boolean().optional().describe('True where an earlier, identical file was used again'),
    }),
  }),
  batch_completed: defineEvent({
    family: 'core_value',
    schemaVersion: 1,
    description: 'A batch of more than one item came to its end with at least one success.',
    retention: 'business',
    sources: ['worker', 'server'],
    properties: z.object({
      jobId: z.string().describe("The batch's id"),
      jobType: z.enum(['campaign', 'csv_import']),
      campaignId: z.string().optional().describe("The tenant's own name for it, else the batch's id"),
      totalItems: z.int().min(2),
      successCount: count,
      failCount: count,
      variantCount: count.optional(),
      sizeCount: count.optional(),
      duration: milliseconds.optional().describe('Milliseconds from the first start to the close'),
      timestamp,
      run: z.int().min(1).optional().describe('1, and one more for each retry of what failed'),
      canceledCount: count.optional().describe('Items that were canceled one by one; in neither count'),
      cachedCount: count.optional().describe('Of the successes: files that were used again'),
      projectId: z.string().optional(),
      compositionId: z.string().optional(),
    }),
  }),
  export_downloaded: defineEvent({
    family: 'core_value',
    schemaVersion: 1,
    description: 'A download began: recorded before the first byte is sent.',
    retention: 'business',
    sources: ['server'],
    properties: z.object({
      ...downloadFacts,
      organizationStrategy: z.string().optional(),
      includesManifest: z.boolean().optional(),
    }),
  }),
};
