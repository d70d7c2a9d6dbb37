/** What is sent to the event log and the catalog, and what they answer. */
import { z } from 'zod';
import { eventSources, retentionClasses } from '../../core/events/define-event.ts';
import { eventInputSchema } from '../../core/events/event-input.ts';
import { maxEvents, maxTrackedEvents } from './read-batch.ts';

const newEventSchema = eventInputSchema.meta({
  id: 'NewEvent',
  description: 'An event as it is sent. UTM tags, click ids and ad ids may stand beside the envelope',
});

/** For the documentation: the body is read by hand, so that one bad event does not take the others with it. */
export const batchSchema = z.union([
  z.object({ events: z.array(newEventSchema).min(1).max(maxEvents) }),
  z.array(newEventSchema).min(1).max(maxEvents),
  newEventSchema,
]);

/** As `batchSchema`. */
export const trackSchema = z.object({
  events: z.array(newEventSchema).min(1).max(maxTrackedEvents),
  distinct_id: z.string().optional().describe('The visitor, for each event that does not name one'),
  session_id: z.string().optional(),
  context: z.record(z.string(), z.unknown()).optional().describe("Beneath each event's own context"),
});

export const verdictsSchema = z
  .object({
    accepted: z.int(),
    duplicates: z.int(),
    refused: z.int(),
    results: z.array(
      z.object({
        index: z.int().describe('Which event of the request'),
        id: z.string().nullable().describe('Of the event in the log; null: refused, and it had none'),
        event: z.string().nullable().describe('The canonical name'),
        verdict: z
          .enum(['accepted', 'duplicate', 'refused'])
          .describe('duplicate: the organization has sent this id before, within 30 days'),
        code: z.string().optional().describe('Of a refused one: a code of the error catalog'),
        message: z.string().optional(),
        marks: z
          .array(z.enum(['alias', 'unknown_event', 'clock_adjusted', 'ignored_fields']))
          .readonly()
          .optional(),
      }),
    ),
  })
  .meta({ id: 'EventVerdicts', description: 'What became of each event of the request' });

const jsonSchema = z.record(z.string(), z.unknown());

export const definitionBodySchema = z.strictObject({
  description: z.string().trim().max(2_000).default(''),
  sources: z
    .array(z.enum(eventSources))
    .min(1)
    .max(eventSources.length)
    .default([...eventSources])
    .describe('Who may send it; a publishable key is always web. Absent: all'),
  retention: z
    .enum(retentionClasses)
    .optional()
    .describe(
      'behaviour: 90 days, business: until its person is erased. Absent: behaviour where only web may send it',
    ),
  properties: jsonSchema.describe(
    'JSON Schema of the properties: type object, draft 2020-12, up to 32 KB, references within itself only',
  ),
});

export const ownDefinitionSchema = z
  .object({
    name: z.string(),
    description: z.string(),
    schemaVersion: z.int().describe('One more with each change of the schema, which may only add'),
    sources: z.array(z.string()),
    retention: z.enum(retentionClasses),
    properties: jsonSchema.describe('JSON Schema of the properties'),
    createdAt: z.iso.datetime().describe('Of this version'),
  })
  .meta({ id: 'OwnEvent', description: 'An event that the organization has defined, in its newest version' });

/** Of Rendermill: name, aliases, family, description, sources, schema … */
const ourEventSchema = z.record(z.string(), z.unknown()).meta({
  id: 'CatalogEvent',
  description: "An event of Rendermill's catalog: name, aliases, family, description, sources, schema …",
});

export const catalogSchema = z.object({
  events: z.array(ourEventSchema),
  own: z.array(ownDefinitionSchema),
});

export const catalogEntrySchema = z.union([
  z.object({ event: ourEventSchema }),
  z.object({
    own: ownDefinitionSchema,
    versions: z
      .array(z.object({ schemaVersion: z.int(), properties: jsonSchema, createdAt: z.iso.datetime() }))
      .describe('The newest first'),
  }),
]);

export const eventSettingsSchema = z.strictObject({
  unknownEvents: z
    .enum(['mark', 'refuse'])
    .describe(
      'An event that neither the catalog nor the organization knows is stored and marked, or refused',
    ),
});
