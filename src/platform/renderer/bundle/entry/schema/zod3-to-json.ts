import { zodToJsonSchema } from 'zod-to-json-schema';

import { dateMark, isRecord, isZod3, isZod4, type JsonSchema, type Zod3Schema } from './zod-kind.ts';
import { zod4ToJson } from './zod4-to-json.ts';

type Converter = (schema: Zod3Schema, options: Record<string, unknown>) => JsonSchema;

/** Optional, nullable, defaulted, refined and branded schemas stand for the one inside. */
const unwrap = (schema: Zod3Schema): Zod3Schema => {
  const inner = schema._def.innerType ?? schema._def.schema;
  return isZod3(inner) ? unwrap(inner) : schema;
};

/** A nullable schema is written as a choice of the real one and null. */
const objectPart = (json: unknown): JsonSchema | null => {
  if (!isRecord(json)) return null;
  if (isRecord(json.properties)) return json;
  return Array.isArray(json.anyOf)
    ? (json.anyOf.map(objectPart).find((part) => part !== null) ?? null)
    : null;
};

const convertUnknown = (field: unknown, path: string, notes: string[]): JsonSchema => {
  if (isZod4(field)) {
    const { $schema: _, ...json } = zod4ToJson(field, notes);
    return json;
  }
  notes.push(`${path}: this field has no JSON Schema; any value is accepted.`);
  return {};
};

const mayBeLeftOut = (field: unknown): boolean =>
  isZod4(field) ? field._zod.optin === 'optional' : isZod3(field) && field.isOptional();

const restoreField = (
  json: JsonSchema,
  name: string,
  field: unknown,
  path: string,
  notes: string[],
): void => {
  (json.properties as JsonSchema)[name] = convertUnknown(field, path, notes);
  const required = Array.isArray(json.required) ? json.required : [];
  if (!mayBeLeftOut(field)) json.required = [...required, name];
};

/**
 * A field of a kind that the converter does not know, such as one made by zod 4, is left out without a word while
 * additionalProperties forbids it. Compared with the schema's own list of fields, at every depth, and put back.
 */
const restoreMissing = (schema: Zod3Schema, json: unknown, path: string, notes: string[]): void => {
  const real = unwrap(schema);
  if (real._def.type !== undefined && isRecord(json))
    restoreMissing(real._def.type, json.items, `${path}[]`, notes);
  const object = objectPart(json);
  if (real._def.shape === undefined || object === null) return;
  for (const [name, field] of Object.entries(real._def.shape())) {
    const fieldPath = path === '' ? name : `${path}.${name}`;
    const known = (object.properties as JsonSchema)[name];
    if (known === undefined) restoreField(object, name, field, fieldPath, notes);
    else if (isZod3(field)) restoreMissing(field, known, fieldPath, notes);
  }
};

/** A date and a string in the form of a time come out alike; the mark tells them apart. */
const markDates = (
  json: JsonSchema | undefined,
  def: { readonly typeName?: string },
): JsonSchema | undefined =>
  json !== undefined && def.typeName === 'ZodDate' ? { ...json, [dateMark]: true } : json;

export const zod3ToJson = (schema: Zod3Schema, notes: string[]): JsonSchema => {
  const convert = zodToJsonSchema as unknown as Converter;
  const json = convert(schema, {
    $refStrategy: 'none',
    pipeStrategy: 'input',
    effectStrategy: 'input',
    postProcess: markDates,
  });
  restoreMissing(schema, json, '', notes);
  return json;
};
