/**
 * A tenant's JSON Schema as a function that answers, synchronously and within a deadline. The schema comes from a project's code:
 * it must not be able to make the validation asynchronous, to name other schemas, or to hold up everybody else.
 */
import { createContext, Script } from 'node:vm';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';

export type JsonSchema = Readonly<Record<string, unknown>>;

export type SchemaAnswer =
  | { readonly type: 'fits' }
  | { readonly type: 'misfits'; readonly errors: readonly ErrorObject[] }
  /** A pattern or a comparison that takes for ever on this value. */
  | { readonly type: 'too_slow' };

export interface SchemaCheck {
  one(value: unknown): SchemaAnswer;
  /**
   * The same answers for the first values, at least one, and for as many as a turn has time for: watching over a deadline costs ten
   * times what an honest validation does, and here they share one.
   */
  some(values: readonly unknown[]): readonly SchemaAnswer[];
}

/** Milliseconds of one validation; an honest one takes less than one. */
export const validationDeadlineMs = 250;
/** For so long values are judged one after the other; then others have their turn. */
const turnMs = 15;

const addFormats = addFormatsModule.default;

/** `$async` makes ajv answer with a promise; the others give schemas names under which one could meet another. */
const refused = new Set([
  '$schema',
  '$async',
  '$id',
  'id',
  '$anchor',
  '$dynamicAnchor',
  '$dynamicRef',
  '$recursiveRef',
]);
const mapsOfSchemas = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
]);
const values = new Set(['const', 'enum', 'default', 'examples']);

const withoutRefused = (node: unknown, isMap: boolean): unknown => {
  if (Array.isArray(node)) return node.map((inner) => withoutRefused(inner, false));
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(([key]) => isMap || !refused.has(key));
  return Object.fromEntries(
    kept.map(([key, inner]) =>
      !isMap && values.has(key)
        ? [key, inner]
        : [key, withoutRefused(inner, !isMap && mapsOfSchemas.has(key))],
    ),
  );
};

const stage: { work: (() => unknown) | undefined } = { work: undefined };
const context = createContext(stage);
const script = new Script('work()');

/** V8 ends the script, and whatever it called, at the deadline: also in the middle of a regular expression. */
const withinDeadline = <T>(work: () => T): T | 'too_slow' => {
  stage.work = work;
  try {
    return script.runInContext(context, { timeout: validationDeadlineMs });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return 'too_slow';
    throw error;
  } finally {
    stage.work = undefined;
  }
};

/** Throws where the schema cannot be used; then the project's developer is told at the registration. */
export const compileSchema = (schema: JsonSchema): SchemaCheck => {
  const ajv = new Ajv2020({
    allErrors: true,
    strict: false,
    validateFormats: true,
    logger: false,
    // A copy at each place that refers to it would make megabytes of code, and minutes, of a few kilobytes of schema.
    inlineRefs: false,
  });
  addFormats(ajv);
  const validate = ajv.compile(withoutRefused(schema, false) as JsonSchema);
  const judge = (value: unknown): SchemaAnswer =>
    validate(value) === true ? { type: 'fits' } : { type: 'misfits', errors: validate.errors ?? [] };
  const one = (value: unknown): SchemaAnswer => {
    const first = withinDeadline(() => judge(value));
    // The deadline is wall clock: on a crowded machine an honest validation may miss it once.
    const answer = first === 'too_slow' ? withinDeadline(() => judge(value)) : first;
    return answer === 'too_slow' ? { type: 'too_slow' } : answer;
  };
  const some = (values: readonly unknown[]): readonly SchemaAnswer[] => {
    const answers: SchemaAnswer[] = [];
    const ends = performance.now() + turnMs;
    const whole = withinDeadline(() => {
      for (const value of values) {
        answers.push(judge(value));
        if (performance.now() > ends) return;
      }
    });
    // The one in whose middle the deadline came has a deadline of its own: it may only have been the last of many.
    if (whole === 'too_slow' && answers.length < values.length) answers.push(one(values[answers.length]));
    return answers;
  };
  return { one, some };
};
