/** Webhooks over HTTP: what is asked, and what is shown. */
import { z } from 'zod';
import { storableText } from '../../../core/storable-text.ts';
import type { Backlog } from '../../../domain/deliveries/backlog.ts';
import type { Missed } from '../../../domain/deliveries/missed-events.ts';
import type { WebhookEndpoint } from '../../../domain/deliveries/webhook-endpoints.ts';

const maxNames = 100;
const maxOverlapHours = 7 * 24;

const url = z.string().min(1).describe('https or http, at a public address');
const description = z.string().trim().max(500).transform(storableText);
const eventNames = z
  .array(z.string().min(1).max(101))
  .min(1)
  .max(maxNames)
  .nullable()
  .describe('Names of events, or beginnings with a star such as batch_*; null: all events');
const ratePerSecond = z
  .int()
  .min(1)
  .max(1_000)
  .nullable()
  .describe('Requests per second at most; null: no limit');

export const newWebhookSchema = z.strictObject({
  url,
  description: description.default(''),
  eventNames: eventNames.default(null),
  ratePerSecond: ratePerSecond.default(null),
});

export const webhookChangeSchema = z
  .strictObject({
    url: url.optional(),
    description: description.optional(),
    eventNames: eventNames.optional(),
    ratePerSecond: ratePerSecond.optional(),
    enabled: z.boolean().optional().describe('true: sends again, with a closed circuit breaker'),
  })
  // An absent field is left as it is, and is not undefined.
  .transform((change) => dropUndefined(change));

type Present<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };
const dropUndefined = <T extends object>(given: T): Present<T> =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Present<T>;

export const rotationSchema = z.strictObject({
  overlapHours: z
    .number()
    .min(0)
    .max(maxOverlapHours)
    .default(24)
    .describe('For so long the older secrets sign beside the new one; 0: they end at once'),
});

const time = z.iso.datetime();

const listedWebhook = z.object({
  id: z.string(),
  url: z.string(),
  description: z.string(),
  eventNames: z.array(z.string()).nullable(),
  ratePerSecond: z.int().nullable(),
  enabled: z.boolean(),
  status: z.enum(['enabled', 'disabled']),
  statusReason: z.string().nullable().describe('Why it is disabled'),
  failingSince: time
    .nullable()
    .describe('Since then it has accepted nothing of what it was sent; null while it is well'),
  warnedHours: z
    .int()
    .describe('The last webhook_endpoint_failing was recorded after so many hours: 24, 48 or 72; 0: none'),
  disablesAt: time.nullable().describe('If it goes on failing; null: it is well, or is never disabled'),
  disabledAt: time.nullable(),
  missedFrom: time
    .nullable()
    .describe(
      'Disabled, it did not get what was received from then on; POST …/enable sends it; null: nothing',
    ),
  missedUntil: time.nullable().describe('Null: it still misses what happens, or has missed nothing'),
  consecutiveFailures: z.int(),
  lastError: z.string().nullable(),
  lastSuccessAt: time.nullable(),
  pending: z.int().describe('Deliveries that wait; counted up to 100,000'),
  dead: z.int().describe('Deliveries that were given up; counted up to 100,000'),
  createdAt: time,
  updatedAt: time,
});

export const listedWebhookSchema = listedWebhook.meta({
  id: 'ListedWebhook',
  description: 'An endpoint as a list has it: without warnings of its names',
});

export const webhookSchema = listedWebhook
  .extend({
    warnings: z
      .array(z.string())
      .describe('What is most likely a mistake: names and beginnings that no known event has'),
  })
  .meta({ id: 'Webhook', description: 'An endpoint that gets events as they happen' });

export const createdWebhookSchema = webhookSchema
  .extend({ secret: z.string().describe('Signs every request (Standard Webhooks): whsec_…') })
  .meta({ id: 'CreatedWebhook', description: 'The endpoint with the secret that its receiver needs' });

export const enablingSchema = z.strictObject({
  replay: z
    .boolean()
    .default(false)
    .describe('Also what it missed while it was disabled, and what was given up since it failed'),
});

export const enabledWebhookSchema = webhookSchema
  .extend({
    waiting: z.int().describe('Deliveries that go out now, counted up to 100,000'),
    resumed: z
      .object({
        missed: z.int().describe('Of what it missed'),
        revived: z.int().describe('Of what had been given up'),
      })
      .nullable()
      .describe('Deliveries that replay has made; null: it was not asked for'),
    replay: z
      .object({ webhookId: z.string(), from: time, until: time })
      .nullable()
      .describe('What it missed: the body for POST /api/v1/events/replay; null: nothing'),
  })
  .meta({ id: 'EnabledWebhook', description: 'The endpoint, with what goes out to it now' });

export const presentMissed = (
  webhookId: string,
  missed: Missed | null,
): z.infer<typeof enabledWebhookSchema>['replay'] =>
  missed?.until ? { webhookId, from: missed.from.toISOString(), until: missed.until.toISOString() } : null;

export const secretSchema = z
  .object({
    secret: z.string().describe('whsec_…'),
    olderSignUntil: time.nullable().describe('When the last of the older secrets ends; null: there is none'),
  })
  .meta({ id: 'WebhookSecret', description: 'What verifies the signatures of an endpoint' });

export const testOutcomeSchema = z
  .object({
    delivered: z.boolean(),
    status: z.int().nullable().describe('HTTP status; null: there was no answer'),
    durationMs: z.int(),
    response: z.string().nullable().describe('The first 1,000 bytes of the answer'),
    error: z.string().nullable(),
  })
  .meta({ id: 'WebhookTest', description: 'What became of a test message' });

export const presentWebhook = (
  endpoint: WebhookEndpoint,
  backlog: Backlog,
): z.infer<typeof listedWebhookSchema> => ({
  id: endpoint.id,
  url: endpoint.url,
  description: endpoint.description,
  eventNames: endpoint.eventNames === null ? null : [...endpoint.eventNames],
  ratePerSecond: endpoint.ratePerSecond,
  enabled: endpoint.status === 'enabled',
  status: endpoint.status,
  statusReason: endpoint.statusReason,
  failingSince: endpoint.failingSince?.toISOString() ?? null,
  warnedHours: endpoint.warnedHours,
  disablesAt: endpoint.disablesAt?.toISOString() ?? null,
  disabledAt: endpoint.disabledAt?.toISOString() ?? null,
  missedFrom: endpoint.missedFrom?.toISOString() ?? null,
  missedUntil: endpoint.missedUntil?.toISOString() ?? null,
  consecutiveFailures: endpoint.consecutiveFailures,
  lastError: endpoint.lastError,
  lastSuccessAt: endpoint.lastSuccessAt?.toISOString() ?? null,
  pending: backlog.pending,
  dead: backlog.dead,
  createdAt: endpoint.createdAt.toISOString(),
  updatedAt: endpoint.updatedAt.toISOString(),
});
