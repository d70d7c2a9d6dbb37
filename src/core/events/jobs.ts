/**
 * The life of a job: of an export of ours, or of whatever a tenant's product processes. Source of the snake_case names: the
 * event catalog document's "critical for ML + debugging" list, and its section 9.
 */
import { z } from 'zod';
import { defineEvent, type EventDefinition } from './define-event.ts';
import {
  count,
  creditFacts,
  exportFacts,
  flag,
  footageFacts,
  milliseconds,
  text,
  timestamp,
} from './properties.ts';

/** The contract with whoever else has jobs: only which one is asked for. */
const openFacts = {
  job_id: z.string().describe("The job's id; of ours, the export's"),
  ...exportFacts,
  ...footageFacts,
  compositionId: text,
  kind: text.describe('Ours are still and video'),
  format: text,
  tier: text,
  device_network_type: text.describe('Such as wifi, 4g'),
  timestamp: timestamp.optional(),
};

const openTimes = {
  attempt: count.optional(),
  retry_count: count.optional().describe('Attempts before this one'),
  queue_wait_ms: milliseconds.optional(),
  processing_time_ms: milliseconds.optional(),
};

const openOutcome = {
  ...openTimes,
  ...creditFacts,
  success_bool: flag,
  failure_reason: z.string().nullable().optional(),
  error_code: z.string().nullable().optional(),
  status_poll_count: count.optional().describe('How often its user asked how it stands'),
  cached: flag.describe('True where an earlier, identical file was used again'),
};

const openCreation = {
  ...creditFacts,
  job_reprocessed_same_input: flag.describe('Asked for before, exactly so'),
};

/** What our own code gives. */
const jobFacts = {
  job_id: z.string().describe("The export's id"),
  ...exportFacts,
  compositionId: z.string(),
  kind: z.enum(['still', 'video']),
  format: z.string(),
  timestamp,
};

const ended = {
  attempt: count,
  queue_wait_ms: milliseconds.optional(),
  processing_time_ms: milliseconds.optional(),
};

const signals = {
  retry_count: count.optional(),
  status_poll_count: count.optional(),
  audio_present: flag,
};

const shared = {
  family: 'jobs',
  schemaVersion: 1,
  retention: 'business',
  sources: ['server', 'worker'],
} as const satisfies Partial<EventDefinition>;

export const jobEvents = {
  job_created: defineEvent({
    ...shared,
    description: 'A job was accepted; of ours: the limit is reserved, the row written.',
    countsUse: true,
    stage: 'Value',
    properties: z.object({ ...openFacts, ...openCreation }),
    emitted: z.object({
      ...jobFacts,
      tier: z.string(),
      duration_seconds: z.number().optional().describe('Seconds of footage, where the request tells'),
      resolution: z.string().optional().describe('Pixels, as 1080x1080, where the request tells'),
      credits_before: count.optional(),
      credits_after: count.optional(),
      job_reprocessed_same_input: flag,
    }),
  }),
  watermark_detected: defineEvent({
    ...shared,
    description:
      'A watermark was found in what a job works on, with the platform that it is of and how sure that is.',
    properties: z.object(openFacts),
  }),
  processing_started: defineEvent({
    ...shared,
    description: 'A worker began an attempt.',
    aliases: ['job_started'],
    properties: z.object({ ...openFacts, ...openTimes }),
    emitted: z.object({ ...jobFacts, attempt: count, queue_wait_ms: milliseconds.optional() }),
  }),
  processing_completed: defineEvent({
    ...shared,
    description: 'A job came to its result; of ours: the export to its file, recorded beside video_rendered.',
    aliases: ['job_completed'],
    countsUse: true,
    stage: 'Value',
    northStar: 'First Value',
    sinks: { meta: { event: 'AddToCart', firstOnly: true } },
    properties: z.object({ ...openFacts, ...openOutcome }),
    emitted: z.object({
      ...jobFacts,
      ...ended,
      ...signals,
      success_bool: z.literal(true),
      video_bytes: count,
      duration_seconds: z.number().optional(),
      resolution: z.string(),
      cached: z.boolean().optional().describe('True where an earlier, identical file was used again'),
    }),
  }),
  processing_failed: defineEvent({
    ...shared,
    description: 'A job failed for good.',
    aliases: ['job_failed'],
    stage: 'Risk',
    properties: z.object({ ...openFacts, ...openOutcome }),
    emitted: z.object({
      ...jobFacts,
      ...ended,
      ...signals,
      success_bool: z.literal(false),
      failure_reason: z.string(),
      error_code: z.string(),
    }),
  }),
  job_timeout: defineEvent({
    ...shared,
    description: 'A job was ended by its time limit or for want of progress; processing_failed follows.',
    aliases: ['job_timed_out'],
    properties: z.object({ ...openFacts, ...openOutcome }),
    emitted: z.object({ ...jobFacts, ...ended, error_code: z.string() }),
  }),
  job_canceled: defineEvent({
    ...shared,
    description: 'The export was canceled before it came to an end.',
    aliases: ['job_cancelled'],
    ownedByService: true,
    properties: z.object({ ...jobFacts, attempt: count }),
  }),
  job_refunded: defineEvent({
    ...shared,
    description: 'A credit returned to the user.',
    aliases: ['refund_credit_returned'],
    properties: z.object({ ...openFacts, ...openOutcome }),
    emitted: z.object({
      ...jobFacts,
      credits_before: count.optional(),
      credits_after: count.optional(),
      failure_reason: z.string().optional(),
      error_code: z.string().optional(),
    }),
  }),
};
