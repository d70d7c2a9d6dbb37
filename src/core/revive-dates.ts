/**
 * JSON has no dates. Where the schema of the props was made from a zod date it carries this mark, and the text becomes the Date
 * that the composition expects; a string that merely looks like a time stays text.
 */
export const dateMark = 'x-rendermill-date';

type JsonSchema = Readonly<Record<string, unknown>>;

const asSchema = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;

const reviveValue = (value: unknown, schema: JsonSchema | undefined): unknown => {
  if (schema === undefined) return value;
  if (schema[dateMark] === true && typeof value === 'string') return new Date(value);
  if (Array.isArray(value)) return value.map((item) => reviveValue(item, asSchema(schema.items)));
  const object = asSchema(value);
  return object === undefined ? value : reviveObject(object, schema);
};

const reviveObject = (value: JsonSchema, schema: JsonSchema): Record<string, unknown> => {
  const properties = asSchema(schema.properties);
  const rest = asSchema(schema.additionalProperties);
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      reviveValue(inner, asSchema(properties?.[name]) ?? rest),
    ]),
  );
};

/** Follows properties, items and additionalProperties; what lies behind a union or a reference stays text. */
export const reviveDates = (props: Record<string, unknown>, schema: JsonSchema): Record<string, unknown> =>
  reviveObject(props, schema);
