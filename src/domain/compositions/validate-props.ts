/** Props against the JSON Schema that was made of the composition's own zod schema; no Remotion, no React, no browser. */
import type { ErrorObject } from 'ajv';
import { RendermillError } from '../../core/errors.ts';
import {
  compileSchema,
  type SchemaAnswer,
  type SchemaCheck,
  validationDeadlineMs,
} from './compile-schema.ts';
import type { Composition } from './find-compositions.ts';

const maxReasons = 20;
/** A version's schema never changes, so a compiled one is kept; the oldest goes when there are more. */
const maxKeptChecks = 500;

const checks = new Map<string, SchemaCheck>();

const checkFor = (composition: Composition, schema: Record<string, unknown>): SchemaCheck => {
  const key = `${composition.organization_id}\n${composition.version}\n${composition.id}`;
  const kept = checks.get(key);
  if (kept) return kept;
  const check = compileSchema(schema);
  const oldest = checks.keys().next();
  if (checks.size >= maxKeptChecks && !oldest.done) checks.delete(oldest.value);
  checks.set(key, check);
  return check;
};

const reasonOf = (error: ErrorObject): PropsReason => {
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

export interface PropsReason {
  /** Where, as `props.price.amount`. */
  readonly path: string;
  readonly reason: string;
}

/** What the schema is asked about: what is not given is taken from the composition's default props, as Remotion does. */
const wholeProps = (composition: Composition, props: Record<string, unknown>) => ({
  ...composition.default_props,
  ...props,
});

/** Null: the schema could not judge in time. */
const reasonsOf = (answer: SchemaAnswer): readonly PropsReason[] | null => {
  if (answer.type === 'too_slow') return null;
  return answer.type === 'fits' ? [] : answer.errors.slice(0, maxReasons).map(reasonOf);
};

/**
 * What is wrong with the props, in at most 20 reasons; none: they fit. A composition without a schema takes everything. Throws
 * `invalid_props` where the schema itself cannot judge in time.
 */
export const judgeProps = (
  composition: Composition,
  props: Record<string, unknown>,
): readonly PropsReason[] => {
  if (composition.props_schema === null) return [];
  const answer = checkFor(composition, composition.props_schema).one(wholeProps(composition, props));
  const reasons = reasonsOf(answer);
  if (reasons !== null) return reasons;
  throw new RendermillError('invalid_props', {
    message: `The schema of "${composition.id}" could not judge these props within ${validationDeadlineMs} ms: look for a pattern in it that backtracks without end.`,
    details: { compositionId: composition.id, reasons: [] },
  });
};

/** As `judgeProps`, for the first of many, at least one, and as many as a turn has time for. Null: the schema could not judge in time. */
export const judgeSomeProps = (
  composition: Composition,
  many: readonly Record<string, unknown>[],
): readonly (readonly PropsReason[] | null)[] => {
  if (composition.props_schema === null) return many.map(() => []);
  const check = checkFor(composition, composition.props_schema);
  return check.some(many.map((props) => wholeProps(composition, props))).map(reasonsOf);
};

/** Throws `invalid_props` with a path and a reason each. */
export const validateProps = (composition: Composition, props: Record<string, unknown>): void => {
  const reasons = judgeProps(composition, props);
  if (reasons.length === 0) return;
  throw new RendermillError('invalid_props', {
    message: `The props do not fit the schema of "${composition.id}": ${reasons.map(({ path, reason }) => `${path} ${reason}`).join('; ')}.`,
    details: { compositionId: composition.id, reasons },
  });
};
