/**
 * Core value: someone got what the product is for. Sources: the document on core value events; for uploads, and for what people
 * do with a result, the event catalog document, section 2 C.
 */
import { z } from 'zod';
import { openBatchEnd, openBatchFacts } from './batches.ts';
import { defineEvent, defineFamily } from './define-event.ts';
import {
  count,
  downloadFacts,
  exportFacts,
  flag,
  footageFacts,
  foreignId,
  milliseconds,
  pixels,
  text,
  timestamp,
} from './properties.ts';

const act = defineFamily(
  { family: 'core_value', retention: 'behaviour', sources: ['web', 'server'] },
  { ...footageFacts, job_id: text, page_path: text },
);

const upload = {
  upload_id: foreignId.optional(),
  content_type: text.describe('Media type, such as video/mp4'),
  file_name: text,
};

const result = { exportId: text, fileId: text, batchId: text, format: text };

export const coreValueEvents = {
  upload_view: act('The page to upload on was viewed.', {}, { aliases: ['upload_viewed'], countsUse: true }),
  upload_started: act('An upload began.', upload, { countsUse: true }),
  upload_completed: act(
    'An upload came to its end.',
    { ...upload, duration: milliseconds.optional() },
    {
      countsUse: true,
    },
  ),
  video_rendered: defineEvent({
    family: 'core_value',
    schemaVersion: 1,
    description: 'A render succeeded: every one, the first included, still or video, single or in a batch.',
    retention: 'business',
    sources: ['worker', 'server'],
    ownedByService: true,
    countsUse: true,
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
    countsUse: true,
    properties: z.object({ ...openBatchFacts, ...openBatchEnd }),
    emitted: z.object({
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
    ownedByService: true,
    countsUse: true,
    properties: z.object({
      ...downloadFacts,
      organizationStrategy: z.string().optional(),
      includesManifest: z.boolean().optional(),
      second_download_attempt: flag.describe('True where this file was downloaded before'),
      download_count: count.optional().describe('Downloads of this file, this one included'),
    }),
  }),
  // The Aha Moment, which no retention may take away, although a browser tells of it.
  download_clicked: act('Someone clicked to download a result.', result, {
    retention: 'business',
    countsUse: true,
    stage: 'Value',
    northStar: 'Aha Moment',
  }),
  share_clicked: act('Someone clicked to share a result, such as by copying its link.', {
    ...result,
    channel: text.describe('Such as copy_link'),
  }),
};
