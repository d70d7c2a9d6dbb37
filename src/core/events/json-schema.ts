/** The catalog for programs that are not ours: a JSON Schema per event, and what else it says of each. */
import { z } from 'zod';
import { definitionOf, type EventName, eventCatalog } from './catalog.ts';
import type { EventDefinition } from './define-event.ts';

export interface EventJsonSchema {
  readonly $schema: string;
  readonly $id: string;
  readonly title: string;
  readonly description: string;
  readonly type: 'object';
  readonly properties: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly required?: readonly string[];
  readonly additionalProperties: true;
}

/** Zod writes out the bounds of a double's whole numbers, and a pattern beside the format that says the same. */
const withoutNoise = ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void => {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
};

/** Of a schema of properties, as JSON Schema 2020-12. */
export const toJsonSchema = (schema: z.ZodObject): Pick<EventJsonSchema, 'properties' | 'required'> => {
  const { properties = {}, required } = z.toJSONSchema(schema, { io: 'input', override: withoutNoise });
  return {
    properties: properties as EventJsonSchema['properties'],
    ...(required === undefined ? {} : { required }),
  };
};

const schemas = new Map<EventName, EventJsonSchema>();

const makeSchema = (name: EventName): EventJsonSchema => {
  const { description, schemaVersion, properties } = definitionOf(name);
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: `urn:rendermill:event:${name}:${schemaVersion}`,
    title: name,
    description,
    type: 'object',
    ...toJsonSchema(properties),
    additionalProperties: true,
  };
};

/** The contract of an event's properties: what is not named is let through. */
export const eventJsonSchema = (name: EventName): EventJsonSchema => {
  const schema = schemas.get(name) ?? makeSchema(name);
  schemas.set(name, schema);
  return schema;
};

export interface CatalogEntry
  extends Pick<EventDefinition, 'family' | 'description' | 'schemaVersion' | 'sources' | 'retention'> {
  readonly name: EventName;
  readonly aliases: readonly string[];
  readonly stage: EventDefinition['stage'] | null;
  readonly northStar: EventDefinition['northStar'] | null;
  readonly ownedByService: boolean;
  readonly countsUse: boolean;
  /** The name that each sink gets; null: it gets none of these events. */
  readonly sinks: {
    readonly posthog: string | null;
    readonly meta: { readonly event: string; readonly firstOnly: boolean } | null;
  };
  readonly schema: EventJsonSchema;
}

const describeSinks = (name: EventName): CatalogEntry['sinks'] => {
  const { posthog = name, meta } = definitionOf(name).sinks ?? {};
  return {
    posthog: posthog === false ? null : posthog,
    meta: meta === undefined ? null : { event: meta.event, firstOnly: meta.firstOnly ?? false },
  };
};

const describe = (name: EventName): CatalogEntry => {
  const definition = definitionOf(name);
  const { family, description, schemaVersion, sources, retention } = definition;
  return {
    name,
    aliases: definition.aliases ?? [],
    family,
    description,
    schemaVersion,
    sources,
    retention,
    stage: definition.stage ?? null,
    northStar: definition.northStar ?? null,
    ownedByService: definition.ownedByService ?? false,
    countsUse: definition.countsUse ?? false,
    sinks: describeSinks(name),
    schema: eventJsonSchema(name),
  };
};

/** Every event of the catalog, in its order. */
export const describeCatalog = (): readonly CatalogEntry[] =>
  (Object.keys(eventCatalog) as EventName[]).map(describe);
