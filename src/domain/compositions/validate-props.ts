/** Props against the JSON Schema that was made of the composition's own zod schema; no Remotion, no React, no browser. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import { RendermillError } from '../../core/errors.ts';
import type { Composition } from './find-compositions.ts';

const maxReasons = 20;
/** A version's schema never changes, so a compiled one is kept; the oldest goes when there are more. */
const maxKeptValidators = 500;

const addFormats = addFormatsModule.default;
const validators = new Map<string, ValidateFunction>();

const compile = (schema: Record<string, unknown>): ValidateFunction => {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: true, logger: false });
  addFormats(ajv);
  // A zod 3 schema comes as draft 7; what it uses of that reads the same here.
  const { $schema: _draft, ...rest } = schema;
  return ajv.compile(rest);
};

const validatorFor = (composition: Composition, schema: Record<string, unknown>): ValidateFunction => {
  const key = `${composition.organization_id}\n${composition.version}\n${composition.id}`;
  const kept = validators.get(key);
  if (kept) return kept;
  const validator = compile(schema);
  const oldest = validators.keys().next();
  if (validators.size >= maxKeptValidators && !oldest.done) validators.delete(oldest.value);
  validators.set(key, validator);
  return validator;
};

const reasonOf = (error: ErrorObject) => {
  const path = ['props', ...error.instancePath.split('/').slice(1)].map((part) =>
    part.replace(/~1/g, '/').replace(/~0/g, '~'),
  );
  const named = error.params as {
    missingProperty?: string;
    additionalProperty?: string;
    allowedValues?: unknown[];
  };
  if (named.missingProperty !== undefined)
    return { path: [...path, named.missingProperty].join('.'), reason: 'is required' };
  if (named.additionalProperty !== undefined) {
    return {
      path: [...path, named.additionalProperty].join('.'),
      reason: 'is not a property of this composition',
    };
  }
  const allowed = named.allowedValues === undefined ? '' : `: ${named.allowedValues.map(String).join(', ')}`;
  return { path: path.join('.'), reason: `${error.message ?? 'is not valid'}${allowed}` };
};

/**
 * What is not given is taken from the composition's default props, as Remotion does. Throws `invalid_props` with a path and a
 * reason each. A composition without a schema takes everything.
 */
export const validateProps = (composition: Composition, props: Record<string, unknown>): void => {
  if (composition.props_schema === null) return;
  const validate = validatorFor(composition, composition.props_schema);
  if (validate({ ...composition.default_props, ...props })) return;
  const reasons = (validate.errors ?? []).slice(0, maxReasons).map(reasonOf);
  throw new RendermillError('invalid_props', {
    message: `The props do not fit the schema of "${composition.id}": ${reasons.map(({ path, reason }) => `${path} ${reason}`).join('; ')}.`,
    details: { compositionId: composition.id, reasons },
  });
};
