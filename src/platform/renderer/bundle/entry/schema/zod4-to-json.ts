import { type $ZodType, toJSONSchema } from 'zod/v4/core';

import { dateMark, type JsonSchema, type Zod4Schema } from './zod-kind.ts';

/** JSON has no such values, or zod cannot tell which: anything is let through, and the composition judges. */
const unrepresentable = new Set([
  'bigint',
  'symbol',
  'undefined',
  'void',
  'map',
  'set',
  'custom',
  'nan',
  'function',
  'file',
  'promise',
]);

const hasRefinement = (def: { checks?: readonly unknown[] }): boolean =>
  (def.checks ?? []).some((check) => (check as Zod4Check)._zod?.def?.check === 'custom');

interface Zod4Check {
  readonly _zod?: { readonly def?: { readonly check?: string } };
}

export const zod4ToJson = (schema: Zod4Schema, notes: string[]): JsonSchema =>
  toJSONSchema(schema as unknown as $ZodType, {
    // What a client may leave out because it has a default is not required of it.
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema, path }) => {
      const { def } = zodSchema._zod;
      const where = path.filter((part) => part !== 'properties').join('.') || 'The props';
      if (def.type === 'date')
        Object.assign(jsonSchema, { type: 'string', format: 'date-time', [dateMark]: true });
      if (unrepresentable.has(def.type))
        notes.push(`${where}: ${def.type} has no JSON Schema; any value is accepted.`);
      if (hasRefinement(def)) notes.push(`${where}: a refinement is not part of the JSON Schema.`);
    },
  }) as JsonSchema;
