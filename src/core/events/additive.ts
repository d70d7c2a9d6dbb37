/**
 * Whether a newer schema may stand beside an older one: whatever was valid before must be valid now, and no name may be lost.
 * Pure: JSON Schema in, reasons out. What it cannot compare (`$ref`, `oneOf`, `not` …) has to stay as it was. Whoever takes schemas
 * from strangers bounds their size and depth before.
 */

export type JsonSchema = boolean | { readonly [keyword: string]: unknown };
type Keywords = { readonly [keyword: string]: unknown };

const isObject = (value: unknown): value is Keywords =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const asKeywords = (schema: unknown): Keywords => (isObject(schema) ? schema : {});

const own = (object: unknown, key: string): unknown =>
  isObject(object) && Object.hasOwn(object, key) ? object[key] : undefined;

/** The same for the same JSON, however its keys are ordered. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    isObject(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  ) ?? 'undefined';

const shown = (value: unknown): string => (value === undefined ? 'not set' : canonical(value));

const same = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

type Check = (older: Keywords, newer: Keywords, path: string) => string[];

const listOf = (value: unknown): readonly unknown[] | undefined =>
  value === undefined ? undefined : Array.isArray(value) ? value : [value];

const typesOf = (schema: Keywords): readonly unknown[] | undefined => listOf(own(schema, 'type'));

const takesType = (types: readonly unknown[], type: unknown): boolean =>
  types.includes(type) || (type === 'integer' && types.includes('number'));

const checkType: Check = (older, newer, path) => {
  const now = typesOf(newer);
  const before = typesOf(older);
  if (now === undefined || before?.every((type) => takesType(now, type))) return [];
  const was = before === undefined ? 'of any type' : before.join(' or ');
  return [`${path} was ${was} and is now ${now.join(' or ')}`];
};

/** `const` is an enum of one. */
const valuesOf = (schema: Keywords): readonly unknown[] | undefined =>
  Object.hasOwn(schema, 'const') ? [schema.const] : (own(schema, 'enum') as readonly unknown[] | undefined);

const checkValues: Check = (older, newer, path) => {
  const now = valuesOf(newer);
  const before = valuesOf(older);
  if (now === undefined) return [];
  if (before === undefined) return [`${path} took any value and now takes only ${canonical(now)}`];
  const taken = new Set(now.map(canonical));
  const lost = before.map(canonical).filter((value) => !taken.has(value));
  return lost.length === 0 ? [] : [`${path} no longer takes ${lost.join(', ')}`];
};

const lowerBounds = ['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties', 'minContains'];
const upperBounds = ['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties', 'maxContains'];

const isNarrower = (before: unknown, now: unknown, isLower: boolean): boolean => {
  if (now === undefined || same(before, now)) return false;
  if (typeof before !== 'number' || typeof now !== 'number') return true;
  return isLower ? now > before : now < before;
};

const checkBounds: Check = (older, newer, path) =>
  [...lowerBounds, ...upperBounds].flatMap((keyword) => {
    const before = own(older, keyword);
    const now = own(newer, keyword);
    return isNarrower(before, now, lowerBounds.includes(keyword))
      ? [`${path}: ${keyword} was ${shown(before)} and is now ${shown(now)}`]
      : [];
  });

/** Constraints that can be dropped, but neither added nor changed. */
const strictKeywords = [
  'pattern',
  'format',
  'multipleOf',
  'uniqueItems',
  'contentEncoding',
  'contentMediaType',
];

const checkStrict: Check = (older, newer, path) =>
  strictKeywords.flatMap((keyword) => {
    const now = own(newer, keyword);
    return now === undefined || now === false || same(own(older, keyword), now)
      ? []
      : [`${path}: ${keyword} was ${shown(own(older, keyword))} and is now ${shown(now)}`];
  });

const checkRequired: Check = (older, newer, path) => {
  const before = new Set(listOf(own(older, 'required')));
  return (listOf(own(newer, 'required')) ?? [])
    .filter((name) => !before.has(name))
    .map((name) => `${path}.${String(name)} was optional and is now required`);
};

const propertiesOf = (schema: Keywords): Keywords => asKeywords(own(schema, 'properties'));

const checkProperties: Check = (older, newer, path) => {
  const now = propertiesOf(newer);
  return Object.entries(propertiesOf(older)).flatMap(([name, before]) =>
    Object.hasOwn(now, name) ? compare(before, now[name], `${path}.${name}`) : [`${path}.${name} is gone`],
  );
};

/** A name that is new was let through before as the schema for other properties said. */
const checkNewProperties: Check = (older, newer, path) => {
  const before = own(older, 'additionalProperties');
  if (!isObject(before)) return [];
  return Object.entries(propertiesOf(newer))
    .filter(([name]) => !Object.hasOwn(propertiesOf(older), name))
    .flatMap(([name, now]) => compare(before, now, `${path}.${name}`));
};

const checkOpenness: Check = (older, newer, path) =>
  own(newer, 'additionalProperties') === false && own(older, 'additionalProperties') !== false
    ? [`${path} let other properties through and no longer does`]
    : compare(
        own(older, 'additionalProperties') ?? true,
        own(newer, 'additionalProperties') ?? true,
        `${path}.*`,
      );

const checkItems: Check = (older, newer, path) => {
  const before = own(older, 'items') ?? true;
  const now = own(newer, 'items') ?? true;
  if (!Array.isArray(before) && !Array.isArray(now)) return compare(before, now, `${path}[]`);
  return same(before, now) ? [] : [`${path}: the list of items has changed`];
};

/** Keywords that hold schemas: alternatives with one of them are not taken apart. */
const nesting = ['properties', 'items', 'additionalProperties'];

const isPlain = (schema: unknown): schema is Keywords =>
  isObject(schema) &&
  Object.keys(schema).every((keyword) => isComparable(keyword) && !nesting.includes(keyword));

/** The plain schemas of which one has to fit; undefined where it is not as simple as that. */
const alternativesOf = (schema: Keywords): readonly Keywords[] | undefined => {
  const { anyOf, ...rest } = schema;
  if (anyOf === undefined) return isPlain(schema) ? [schema] : undefined;
  const isAlone = Object.keys(rest).every((keyword) => annotations.has(keyword));
  if (!isAlone || !Array.isArray(anyOf) || anyOf.length > 20) return undefined;
  return anyOf.every(isPlain) ? anyOf : undefined;
};

/** Each way in which a value was valid has to lie within one in which it is valid now; else nothing may have changed. */
const checkChoice: Check = (older, newer, path) => {
  const before = alternativesOf(older);
  const now = alternativesOf(newer);
  if (before === undefined || now === undefined) {
    return [...checkTheSame('anyOf', older, newer, path), ...compareKeywords(older, newer, path)];
  }
  return before
    .filter((one) => !now.some((other) => compareKeywords(one, other, path).length === 0))
    .map((one) => `${path} no longer takes ${canonical(one)}`);
};

const compared = new Set([
  ...['type', 'const', 'enum', 'required', ...nesting],
  ...[...lowerBounds, ...upperBounds, ...strictKeywords],
]);
/** They say nothing about what is valid. */
const annotations = new Set([
  ...['$schema', '$id', '$anchor', '$comment', 'id', 'title', 'description', 'examples', 'example'],
  ...['default', 'deprecated', 'readOnly', 'writeOnly'],
]);
const isComparable = (keyword: string): boolean => compared.has(keyword) || annotations.has(keyword);

const checkTheSame = (keyword: string, older: Keywords, newer: Keywords, path: string): string[] =>
  same(own(older, keyword), own(newer, keyword))
    ? []
    : [`${path}: ${keyword} has changed, and whether it takes all that it took cannot be told`];

const checkTheRest: Check = (older, newer, path) =>
  Object.keys({ ...older, ...newer })
    .filter((keyword) => !isComparable(keyword) && keyword !== 'anyOf')
    .flatMap((keyword) => checkTheSame(keyword, older, newer, path));

const checks = [
  ...[checkType, checkValues, checkBounds, checkStrict, checkRequired],
  ...[checkProperties, checkNewProperties, checkOpenness, checkItems, checkTheRest],
];

const compareKeywords: Check = (older, newer, path) => checks.flatMap((check) => check(older, newer, path));

const compare = (older: unknown, newer: unknown, path: string): string[] => {
  // False takes nothing: there is nothing that it could lose.
  if (older === false || newer === true) return [];
  if (newer === false) return [`${path} is no longer allowed`];
  const [before, now] = [asKeywords(older), asKeywords(newer)];
  const isChoice = own(before, 'anyOf') !== undefined || own(now, 'anyOf') !== undefined;
  return isChoice ? checkChoice(before, now, path) : compareKeywords(before, now, path);
};

/** Why the newer schema may not follow the older one, a clause each; none: it only adds. */
export const destructiveChanges = (older: JsonSchema, newer: JsonSchema): string[] =>
  compare(older, newer, 'properties');
