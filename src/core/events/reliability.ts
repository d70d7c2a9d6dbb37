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

/** Of a webhook. */
const endpoint = {
  endpointId: z.string(),
  urlHost: z.string().nullable().describe('Without path and query, which may hold a secret'),
  pendingDeliveries: z.int().describe('Counted up to 100,000'),
  lastError: z.string().nullable(),
};

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
  webhook_endpoint_failing: defineEvent({
    ...server,
    description:
      'An endpoint has accepted nothing for 24, 48 or 72 hours, once each; that of the installation is of the organization _installation.',
    ownedByService: true,
    properties: z.object({
      ...endpoint,
      failingSince: z.iso.datetime(),
      hoursFailing: z.int().describe('Whole hours'),
      disablesAt: z.iso.datetime().nullable().describe('If it goes on; null: never'),
    }),
  }),
  webhook_endpoint_disabled: defineEvent({
    ...server,
    description:
      'An endpoint was disabled because it accepted nothing for days, or answered 410 Gone; what waits stays.',
    ownedByService: true,
    properties: z.object({
      ...endpoint,
      cause: z.enum(['failing', 'gone']),
      reason: z.string(),
      failingSince: z.iso.datetime().nullable(),
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
