/** The event log and its deliveries over HTTP: what is asked, and what is shown. */
import { z } from 'zod';
import { deliveryStates } from '../../core/delivery/outcomes.ts';
import type { Consent } from '../../core/delivery/sink-event.ts';
import { type CanonicalEvent, toCanonicalEvent } from '../../core/events/canonical-event.ts';
import type { ShownDelivery } from '../../domain/deliveries/read-deliveries.ts';
import type { LoggedEvent } from '../../domain/events/read-events.ts';

const givenTime = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const cursor = z.string().max(200).optional().describe('nextCursor of the page before');
const limit = z.coerce.number().int().min(1).max(200).default(50);
const nextCursor = z.string().nullable().describe('Null at the end; stable while new ones come in');
const webhookId = z.guid();

/** Strict: a misspelt filter would show one user the events of all. */
export const eventsQuery = z.strictObject({
  name: z.string().max(100).optional(),
  userId: z
    .string()
    .max(128)
    .optional()
    .describe(
      'Events that name this user; GET /api/v1/users/{id}/events also has what its visitors did before',
    ),
  entityId: z.string().max(200).optional().describe('What happened to this export, batch …'),
  from: givenTime.optional().describe('Happened at or after'),
  until: givenTime.optional().describe('Happened before'),
  limit,
  cursor,
});

export const deliveriesQuery = z.strictObject({
  state: z.enum(['pending', 'dead']),
  webhookId: webhookId.optional(),
  limit,
  cursor,
});

export const retryBody = z
  .strictObject({ webhookId: webhookId.optional(), eventId: z.guid().optional() })
  .refine(
    (body) => body.webhookId !== undefined || body.eventId !== undefined,
    'give webhookId, eventId, or both',
  );

export const replayBody = z.strictObject({
  webhookId,
  from: givenTime.describe('Received at or after'),
  until: givenTime.describe('Received before'),
});

const time = z.iso.datetime();
const anything = z.record(z.string(), z.unknown());
const textOrNull = z.string().nullable();

const eventFields = {
  id: z.string(),
  event: z.string(),
  timestamp: time.describe('When it happened'),
  received_at: time,
  organization_id: z.string(),
  user_id: textOrNull,
  distinct_id: textOrNull,
  session_id: textOrNull,
  entity_type: textOrNull,
  entity_id: textOrNull,
  correlation_id: textOrNull,
  source: z.string().describe('web, server or worker'),
  environment: z.string(),
  schema_version: z.int(),
  properties: anything.describe('As sent, with what was derived'),
  context: anything,
} satisfies Record<keyof CanonicalEvent, z.ZodType>;

const eventSchema = z
  .object(eventFields)
  .meta({ id: 'Event', description: 'An event of the log, in its canonical shape' });

export const eventsSchema = z.object({ events: z.array(eventSchema), nextCursor });

const attemptSchema = z.object({
  at: time,
  ms: z.number(),
  outcome: z.enum(['delivered', 'refused', 'unavailable']),
  status: z.int().optional().describe('HTTP status; absent: there was no answer'),
  error: z.string().optional(),
  response: z.string().optional().describe('The first bytes of the answer'),
});

const deliverySchema = z
  .object({
    webhookId: z.string(),
    eventId: z.string(),
    event: z.string(),
    state: z.enum(deliveryStates),
    attempts: z.int().describe('Since it was made, or tried again by hand'),
    nextAt: time.nullable().describe('When it is tried next; null: it has ended'),
    reason: textOrNull.describe('Why it was skipped, or given up'),
    createdAt: time,
    endedAt: time.nullable(),
    log: z.array(attemptSchema).describe('Every attempt'),
  })
  .meta({ id: 'Delivery', description: 'An event on its way to an endpoint' });

export const deliveriesSchema = z.object({ deliveries: z.array(deliverySchema), nextCursor });

export const eventDetailsSchema = z
  .object({
    ...eventFields,
    is_known: z.boolean().describe('False: neither the catalog nor the organization knows the name'),
    derived: anything.nullable().describe('What the server has found out; null: not looked at yet'),
    consent: z
      .object({ ads_allowed: z.boolean().nullable(), analytics_allowed: z.boolean().nullable() })
      .describe('What the person allows now; null: never said'),
    deliveries: z.array(deliverySchema).describe('To your endpoints'),
    sinks: z
      .array(z.object({ kind: z.string(), state: z.enum(deliveryStates) }))
      .describe('Other destinations, which the service itself has'),
  })
  .meta({ id: 'EventDetails', description: 'An event, and what became of it on its way' });

export const retriedSchema = z.object({
  retried: z.int().describe('Deliveries that wait for their next attempt'),
  more: z.boolean().describe('There may be more: ask again'),
});

export const replayedSchema = z.object({
  events: z.int().describe('That the endpoint wants, of that time'),
  made: z.int().describe('Deliveries; what was on its way already is not made again'),
});

export const presentEvent = (event: LoggedEvent): z.infer<typeof eventSchema> =>
  toCanonicalEvent({ ...event, properties: { ...event.properties, ...event.derived } });

export const presentDelivery = (row: ShownDelivery): z.infer<typeof deliverySchema> => ({
  webhookId: row.sinkId,
  eventId: row.eventId,
  event: row.event,
  state: row.state,
  attempts: row.attempts,
  nextAt: row.state === 'pending' ? row.nextAt.toISOString() : null,
  reason: row.reason,
  createdAt: row.createdAt.toISOString(),
  endedAt: row.endedAt?.toISOString() ?? null,
  log: [...row.attemptLog],
});

/** A tenant sees the attempts at its own endpoints; what others answered to the operator is the operator's. */
export const presentDetails = (
  event: LoggedEvent,
  consent: Consent,
  deliveries: readonly ShownDelivery[],
): z.infer<typeof eventDetailsSchema> => ({
  ...presentEvent(event),
  is_known: event.isKnown,
  derived: event.derived,
  consent: { ads_allowed: consent.adsAllowed, analytics_allowed: consent.analyticsAllowed },
  deliveries: deliveries.filter((one) => one.sinkOwnerId === event.organizationId).map(presentDelivery),
  sinks: deliveries
    .filter((one) => one.sinkOwnerId === null)
    .map(({ sinkKind, state }) => ({ kind: sinkKind, state })),
});
