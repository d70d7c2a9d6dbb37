/** What went wrong or took long, which goes before churn. Source: the event catalog document, section 2 F. */
import { z } from 'zod';
import { defineEvent, defineFamily, type EventDefinition } from './define-event.ts';
import { milliseconds, text } from './properties.ts';

const shown = defineFamily(
  { family: 'reliability', retention: 'behaviour', sources: ['web', 'server'] },
  { page_path: text },
);

const server = {
  family: 'reliability',
  schemaVersion: 1,
  retention: 'behaviour',
  sources: ['server', 'worker'],
} as const satisfies Partial<EventDefinition>;

const cause = z.string().nullable().optional();
const status = z.int().min(100).max(599);

export const reliabilityEvents = {
  error_shown: shown(
    'An error was shown to a person.',
    { error_code: cause, failure_reason: cause, job_id: text },
    { stage: 'Risk' },
  ),
  api_error: defineEvent({
    ...server,
    description: 'A request was answered with an error of the server.',
    properties: z.object({
      route: text,
      method: text,
      status: status.optional().describe('HTTP status'),
      error_code: cause,
      request_id: text,
    }),
    emitted: z.object({
      route: z.string().describe('Its pattern, as /api/render/:id'),
      method: z.string(),
      status: status.describe('HTTP status'),
      error_code: z.string(),
      request_id: z.string(),
    }),
  }),
  storage_error: defineEvent({
    ...server,
    description: 'A file could not be stored, or not be read again.',
    properties: z.object({
      operation: text.describe('Such as write, read, delete'),
      error_code: cause,
      job_id: text,
      fileId: text,
    }),
    emitted: z.object({
      operation: z.enum(['write', 'read']),
      error_code: z.string(),
      job_id: text,
      fileId: text,
    }),
  }),
  latency_bucket: defineEvent({
    ...server,
    description:
      'Concluded from processing_completed: how long its user waited, from the request to the file.',
    ownedByService: true,
    properties: z.object({
      job_id: z.string(),
      bucket: z
        .enum(['<30s', '30-120s', '>120s'])
        .describe('30 s and 120 s themselves are in the middle one'),
      latency_ms: milliseconds,
    }),
  }),
};
