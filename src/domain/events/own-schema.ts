/** The JSON Schema of an event of an organization's own: whether it can be used, and what it says of properties. */
import type { ErrorObject } from 'ajv';
import { RendermillError } from '../../core/errors.ts';
import { findUnstorable } from '../../core/nesting.ts';
import { cutText } from '../../core/storable-text.ts';
import { compileSchema, type SchemaCheck } from '../compositions/compile-schema.ts';
import type { OwnDefinition } from './own-definition.ts';

export const maxSchemaBytes = 32 * 1024;
/** Milliseconds for all schemas of one request; a thousand honest ones take a tenth of it. */
export const schemaBudgetMs = 1_000;
const maxReasons = 10;
/** A version's schema never changes, so a compiled one is kept; the oldest goes when there are more. */
const maxKeptChecks = 500;

const refuse = (message: string): never => {
  throw new RendermillError('event_schema_invalid', { message });
};

/** Throws `event_schema_invalid`: too large, not of an object, or nothing that a validator can be made of. */
export const assertUsableSchema = (schema: Readonly<Record<string, unknown>>): void => {
  if (Buffer.byteLength(JSON.stringify(schema)) > maxSchemaBytes) {
    refuse(`The JSON Schema must not have more than ${maxSchemaBytes / 1024} KB.`);
  }
  const unstorable = findUnstorable(schema);
  if (unstorable !== null) refuse(`The JSON Schema ${unstorable}.`);
  if (schema.type !== 'object') refuse('The JSON Schema must have "type": "object": properties are one.');
  try {
    compileSchema(schema);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    refuse(
      `The JSON Schema cannot be used (draft 2020-12, references within itself only): ${cutText(reason, 500)}.`,
    );
  }
};

const checks = new Map<string, SchemaCheck>();

const checkOf = (definition: OwnDefinition): SchemaCheck => {
  const key = `${definition.organization_id}\n${definition.name}\n${definition.schema_version}\n${definition.created_at.getTime()}`;
  const kept = checks.get(key);
  if (kept) return kept;
  const check = compileSchema(definition.properties);
  const oldest = checks.keys().next();
  if (checks.size >= maxKeptChecks && !oldest.done) checks.delete(oldest.value);
  checks.set(key, check);
  return check;
};

const reasonOf = (error: ErrorObject): string => {
  const path = ['properties', ...error.instancePath.split('/').slice(1)]
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'))
    .join('.');
  const { additionalProperty } = error.params as { additionalProperty?: string };
  const named = additionalProperty === undefined ? '' : ` (${additionalProperty})`;
  return cutText(`${path} ${error.message ?? 'is not valid'}${named}`, 300);
};

export type OwnVerdict =
  | { readonly type: 'fits' }
  | { readonly type: 'misfits'; readonly reasons: readonly string[] }
  | { readonly type: 'too_slow' };

export type JudgeProperties = (
  definition: OwnDefinition,
  properties: Readonly<Record<string, unknown>>,
) => OwnVerdict;

/** For one request: a thousand events that each take their schema nearly its deadline would hold up everybody else. */
export const createOwnJudge = (): JudgeProperties => {
  let leftMs = schemaBudgetMs;
  return (definition, properties) => {
    if (leftMs <= 0) return { type: 'too_slow' };
    const check = checkOf(definition);
    const startedAt = performance.now();
    const answer = check.one(properties);
    leftMs -= performance.now() - startedAt;
    return answer.type === 'misfits'
      ? { type: 'misfits', reasons: answer.errors.slice(0, maxReasons).map(reasonOf) }
      : answer;
  };
};
