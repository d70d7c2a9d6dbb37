import { isRecord, isZod3, isZod4, type JsonSchema } from './zod-kind.ts';

export interface SchemaDescription {
  readonly propsSchema: JsonSchema | null;
  readonly schemaNotes: readonly string[];
}

/**
 * The project's zod schema as JSON Schema of what a client sends. Our converters do it, chosen by the marks that each zod leaves on
 * its schemas: the converter for zod 3 answers a zod 4 schema with an empty one instead of an error. They are loaded only here, so
 * that a render does not pay for them.
 */
export const describeSchema = async (schema: unknown): Promise<SchemaDescription> => {
  if (schema === null || schema === undefined) return { propsSchema: null, schemaNotes: [] };
  const notes: string[] = [];
  try {
    return { propsSchema: await convert(schema, notes), schemaNotes: notes };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { propsSchema: null, schemaNotes: [`The schema could not be converted: ${message}`] };
  }
};

const convert = async (schema: unknown, notes: string[]): Promise<JsonSchema | null> => {
  if (isZod4(schema)) return (await import('./zod4-to-json.ts')).zod4ToJson(schema, notes);
  if (isZod3(schema)) return (await import('./zod3-to-json.ts')).zod3ToJson(schema, notes);
  const kind = isRecord(schema) ? 'an object of another library' : typeof schema;
  notes.push(`The schema is ${kind}, not a zod schema; props are not checked.`);
  return null;
};
