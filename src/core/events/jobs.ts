/** The life of an export as a job. Source of the snake_case names: the event catalog's "critical for ML + debugging" list. */
import { z } from 'zod';
import { defineEvent, type EventDefinition } from './define-event.ts';
import { count, exportFacts, milliseconds, timestamp } from './properties.ts';

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

const job = <Shape extends z.ZodRawShape>(description: string, shape: Shape) => {
  const properties = z.object({ ...jobFacts, ...shape });
  return defineEvent({
    family: 'jobs',
    schemaVersion: 1,
    description,
    retention: 'business',
    sources: ['server', 'worker'],
    properties,
  }) satisfies EventDefinition;
};

export const jobEvents = {
  job_created: job('An export was accepted: limit reserved, row written.', {
    tier: z.string(),
    duration_seconds: z.number().optional().describe('Seconds of footage, where the request tells'),
    resolution: z.string().optional().describe('Pixels, as 1080x1080, where the request tells'),
    credits_before: count.optional(),
    credits_after: count.optional(),
  }),
  processing_started: job('A worker began an attempt.', {
    attempt: count,
    queue_wait_ms: milliseconds.optional(),
  }),
  processing_completed: job('The export came to its file; recorded beside video_rendered.', {
    ...ended,
    success_bool: z.literal(true),
    video_bytes: count,
    duration_seconds: z.number().optional(),
    resolution: z.string(),
    cached: z.boolean().optional().describe('True where an earlier, identical file was used again'),
  }),
  processing_failed: job('The export failed for good.', {
    ...ended,
    success_bool: z.literal(false),
    failure_reason: z.string(),
    error_code: z.string(),
  }),
  job_timeout: job(
    'The render was ended by its time limit or for want of progress; processing_failed follows.',
    {
      ...ended,
      error_code: z.string(),
    },
  ),
  job_canceled: job('The export was canceled before it came to an end.', { attempt: count }),
  job_refunded: job('A credit returned to the user.', {
    credits_before: count,
    credits_after: count,
    failure_reason: z.string().optional(),
    error_code: z.string().optional(),
  }),
};
