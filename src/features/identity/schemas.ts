/** What the routes of identity, consent and erasure take and answer. */
import { z } from 'zod';
import type { CanonicalEvent } from '../../core/events/canonical-event.ts';
import { erasureStatuses, erasureStatusOf } from '../../core/identity/erasure-status.ts';
import { personIdSchema } from '../../core/identity/person-id.ts';
import type { Erasure } from '../../domain/identity/erasures.ts';
import {
  defaultTokenSeconds,
  maxTokenLength,
  maxTokenSeconds,
} from '../../domain/identity/identity-token.ts';

export const identifyBody = z.strictObject({
  distinct_id: personIdSchema.describe('The visitor: the id that the browser keeps'),
  user_id: personIdSchema.optional().describe('Whose visitor it is; with a secret key'),
  token: z
    .string()
    .min(1)
    .max(maxTokenLength)
    .optional()
    .describe('Of POST /api/v1/identity-tokens, or signed by your backend; with a publishable key'),
});
export type IdentifyBody = z.infer<typeof identifyBody>;

export const identifiedSchema = z
  .object({
    linked: z.boolean(),
    user_id: z.string(),
    already: z.boolean().describe('True where it was linked to this user before'),
  })
  .meta({ id: 'Identified', description: 'Whose visitor it is, from now on and for what it did before' });

export const tokenBody = z.strictObject({
  user_id: personIdSchema,
  distinct_id: personIdSchema.optional().describe('Absent: whoever has the token may use it for any visitor'),
  expires_in_seconds: z.int().min(1).max(maxTokenSeconds).default(defaultTokenSeconds),
});

export const tokenSchema = z.object({ token: z.string(), expires_at: z.iso.datetime() }).meta({
  id: 'IdentityToken',
  description: 'For the browser: POST /api/v1/identify with a publishable key',
});

export const keySchema = z
  .object({
    key: z.string().describe('256 bits in base64url. Keep it in your backend'),
    algorithm: z.literal('HS256'),
    audience: z.string().describe('The claim aud'),
  })
  .meta({
    id: 'IdentityKey',
    description:
      'Signs JWTs with the claims sub (the user), aud, exp (at most 24 hours ahead) and, if wanted, distinct_id and org',
  });

export const consentBody = z
  .strictObject({
    distinct_id: personIdSchema.optional(),
    user_id: personIdSchema.optional().describe('With a secret key'),
    ads_allowed: z.boolean().optional().describe('Absent: stays as it was'),
    analytics_allowed: z.boolean().optional().describe('Absent: stays as it was'),
  })
  .refine(
    (body) => (body.distinct_id === undefined) !== (body.user_id === undefined),
    'give distinct_id or user_id',
  )
  .refine(
    (body) => body.ads_allowed !== undefined || body.analytics_allowed !== undefined,
    'give ads_allowed, analytics_allowed, or both',
  );
export type ConsentBody = z.infer<typeof consentBody>;

export const consentTakenSchema = z
  .object({ event_id: z.guid() })
  .meta({ id: 'ConsentTaken', description: 'The statement is in the log, and counts in a moment' });

export const consentSchema = z
  .object({
    user_id: z.string(),
    ads_allowed: z.boolean().nullable().describe('Null: never said'),
    analytics_allowed: z.boolean().nullable().describe('Null: never said'),
  })
  .meta({ id: 'Consent', description: 'The newest statement of the user, or of one of its visitors' });

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional().describe('nextCursor of the page before'),
});

export const personQuery = pageQuery.extend({
  order: z.enum(['newest', 'oldest']).default('newest').describe('By when it happened'),
});

const anything = z.record(z.string(), z.unknown());
const textOrNull = z.string().nullable();

const eventSchema = z
  .object({
    id: z.guid(),
    event: z.string(),
    timestamp: z.iso.datetime(),
    received_at: z.iso.datetime(),
    organization_id: z.string(),
    user_id: textOrNull,
    distinct_id: textOrNull,
    session_id: textOrNull,
    entity_type: textOrNull,
    entity_id: textOrNull,
    correlation_id: textOrNull,
    source: z.string(),
    environment: z.string(),
    schema_version: z.int(),
    properties: anything,
    context: anything,
  } satisfies Record<keyof CanonicalEvent, z.ZodType>)
  .meta({ id: 'PersonEvent', description: 'An event of the log, in its canonical shape' });

export const personEventsSchema = z.object({
  events: z.array(eventSchema),
  nextCursor: z.string().nullable().describe('Null at the end; stable while new events come in'),
});

export const erasureSchema = z
  .object({
    id: z.guid().describe('That of the account_deleted event'),
    status: z
      .enum(erasureStatuses)
      .describe('failed: PostHog did not take the deletion for weeks; everything else is done'),
    requested_at: z.iso.datetime().nullable().describe('Null until the log was read as far as that'),
    events_deleted: z.int(),
    events_pseudonymised: z.int(),
    log_done_at: z.iso.datetime().nullable(),
    posthog: z.object({
      state: z.enum(['not_configured', 'waiting', 'done', 'failed']).nullable(),
      attempts: z.int(),
      request: anything.nullable(),
      answer: anything.nullable().describe('Status and the first 2 KB of what PostHog answered'),
    }),
    done_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Erasure', description: 'A request to forget a person, and how far it is' });

export const erasuresSchema = z.object({
  erasures: z.array(erasureSchema),
  nextCursor: z.string().nullable(),
});

export const presentErasure = (row: Erasure): z.infer<typeof erasureSchema> => ({
  id: row.id,
  status: erasureStatusOf({
    logDone: row.log_done_at !== null,
    posthogState: row.posthog_state,
    done: row.done_at !== null,
  }),
  requested_at: row.requested_at.toISOString(),
  events_deleted: row.events_deleted,
  events_pseudonymised: row.events_pseudonymised,
  log_done_at: row.log_done_at?.toISOString() ?? null,
  posthog: {
    state: row.posthog_state,
    attempts: row.posthog_attempts,
    request: row.posthog_request,
    answer: row.posthog_answer,
  },
  done_at: row.done_at?.toISOString() ?? null,
});

/** In the log, and not met by the projector yet. */
export const receivedErasure = (id: string): z.infer<typeof erasureSchema> => ({
  id,
  status: 'received',
  requested_at: null,
  events_deleted: 0,
  events_pseudonymised: 0,
  log_done_at: null,
  posthog: { state: null, attempts: 0, request: null, answer: null },
  done_at: null,
});
