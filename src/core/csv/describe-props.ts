/** The props that a composition's JSON Schema names, as far as a cell of a table can fill them. */
import { dateMark } from '../revive-dates.ts';
import { parsePropPath } from './prop-path.ts';

export const propKinds = ['text', 'number', 'integer', 'boolean', 'date', 'list', 'object'] as const;
export type PropKind = (typeof propKinds)[number];

export interface Prop {
  readonly path: readonly string[];
  /** The path as text: rating.value. */
  readonly name: string;
  /** What it may be, most telling first; of several the first that a cell fits. */
  readonly kinds: readonly PropKind[];
  /** Of a list: what its items may be. */
  readonly itemKinds: readonly PropKind[];
  /** Of a text, in characters. */
  readonly maxLength: number | null;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

const maxLevels = 8;
/** Of a schema that names more, the rest can still be mapped by name. */
const maxProps = 2_000;

const asSchema = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;

const schemasIn = (value: unknown): readonly JsonSchema[] =>
  (Array.isArray(value) ? value : []).flatMap((one): readonly JsonSchema[] => {
    const schema = asSchema(one);
    return schema === undefined ? [] : [schema];
  });

const followReference = (schema: JsonSchema, root: JsonSchema): JsonSchema => {
  let found: JsonSchema = schema;
  // A reference that leads to itself ends here.
  for (let steps = 0; typeof found.$ref === 'string' && steps < maxLevels; steps++) {
    if (!found.$ref.startsWith('#')) return {};
    const parts = found.$ref.slice(1).split('/').filter(Boolean);
    let target: JsonSchema | undefined = root;
    for (const part of parts) {
      const name = part.replace(/~1/g, '/').replace(/~0/g, '~');
      target = target !== undefined && Object.hasOwn(target, name) ? asSchema(target[name]) : undefined;
    }
    found = target ?? {};
  }
  return found;
};

const merge = (schemas: readonly JsonSchema[]): JsonSchema => ({
  ...Object.assign({}, ...schemas),
  properties: Object.assign({}, ...schemas.map((one) => asSchema(one.properties) ?? {})),
});

/** The alternatives of a union, without null; those of an intersection as one. */
const alternativesOf = (given: JsonSchema, root: JsonSchema, level = 0): readonly JsonSchema[] => {
  const schema = followReference(given, root);
  if (level > maxLevels) return [schema];
  const union = [...schemasIn(schema.anyOf), ...schemasIn(schema.oneOf)];
  if (union.length > 0) return union.flatMap((one) => alternativesOf(one, root, level + 1));
  const parts = schemasIn(schema.allOf);
  if (parts.length > 0)
    return [merge([schema, ...parts.flatMap((one) => alternativesOf(one, root, level + 1))])];
  return schema.type === 'null' ? [] : [schema];
};

const kindOfType: Readonly<Record<string, PropKind>> = {
  string: 'text',
  number: 'number',
  integer: 'integer',
  boolean: 'boolean',
  array: 'list',
  object: 'object',
};

const kindOfValue = (value: unknown): PropKind => {
  if (Array.isArray(value)) return 'list';
  return kindOfType[typeof value] ?? 'text';
};

const kindsOf = (schema: JsonSchema): readonly PropKind[] => {
  if (schema[dateMark] === true) return ['date'];
  const types = [schema.type].flat().filter((type) => typeof type === 'string' && type !== 'null');
  if (types.length > 0) return types.map((type) => kindOfType[type as string] ?? 'text');
  if (schema.const !== undefined) return [kindOfValue(schema.const)];
  if (Array.isArray(schema.enum)) return schema.enum.filter((one) => one !== null).map(kindOfValue);
  if (asSchema(schema.properties) !== undefined) return ['object'];
  return ['text'];
};

/** A cell that is a number is one where a number is allowed; everything is a text. */
const byTelling: readonly PropKind[] = ['boolean', 'integer', 'number', 'date', 'list', 'object', 'text'];
const sortKinds = (kinds: readonly PropKind[]): readonly PropKind[] =>
  byTelling.filter((kind) => kinds.includes(kind));

const toProp = (path: readonly string[], alternatives: readonly JsonSchema[], root: JsonSchema): Prop => {
  const items = alternatives.flatMap((one) => {
    const schema = asSchema(one.items);
    return schema === undefined ? [] : alternativesOf(schema, root);
  });
  const lengths = alternatives.flatMap((one) => (typeof one.maxLength === 'number' ? [one.maxLength] : []));
  return {
    path,
    name: path.join('.'),
    kinds: sortKinds(alternatives.flatMap(kindsOf)),
    itemKinds: sortKinds(items.flatMap(kindsOf)),
    maxLength: lengths.length > 0 && lengths.length === alternatives.length ? Math.max(...lengths) : null,
  };
};

/** Every prop that the schema names, with those of objects in it; the objects themselves too, for a cell that holds JSON. */
export const listProps = (root: JsonSchema): readonly Prop[] => {
  const found = new Map<string, Prop>();
  const visit = (schema: JsonSchema, path: readonly string[]): void => {
    const named = alternativesOf(schema, root).flatMap((one) =>
      Object.entries(asSchema(one.properties) ?? {}),
    );
    for (const [part, inner] of named) {
      const innerPath = [...path, part];
      const name = innerPath.join('.');
      // A name with a dot in it could not be told from a path.
      const isPath = parsePropPath(name)?.length === innerPath.length;
      if (found.has(name) || !isPath || found.size >= maxProps) continue;
      const innerSchema = asSchema(inner) ?? {};
      const alternatives = alternativesOf(innerSchema, root);
      found.set(name, toProp(innerPath, alternatives, root));
      if (innerPath.length < maxLevels) visit(innerSchema, innerPath);
    }
  };
  visit(root, []);
  return [...found.values()];
};

/** A prop that the schema does not name but allows, such as a key of a record; null where it allows none of that name. */
export const findProp = (root: JsonSchema, path: readonly string[]): Prop | null => {
  let alternatives = alternativesOf(root, root);
  for (const part of path) {
    const inner = alternatives.flatMap((object) => {
      const named = asSchema(object.properties);
      if (named !== undefined && Object.hasOwn(named, part)) return [asSchema(named[part]) ?? {}];
      if (!kindsOf(object).includes('object') && Object.keys(object).length > 0) return [];
      return object.additionalProperties === false ? [] : [asSchema(object.additionalProperties) ?? {}];
    });
    if (inner.length === 0) return null;
    alternatives = inner.flatMap((one) => alternativesOf(one, root));
  }
  return toProp(path, alternatives, root);
};

/** Of a composition without a schema: what its default props are is what a cell becomes. */
export const schemaOfDefaults = (defaults: Readonly<Record<string, unknown>>): JsonSchema => {
  const describe = (value: unknown, level: number): JsonSchema => {
    if (Array.isArray(value))
      return { type: 'array', items: value.length > 0 ? describe(value[0], level + 1) : {} };
    const object = asSchema(value);
    if (object === undefined || level >= maxLevels) {
      // A whole number among the defaults does not mean that others must be whole.
      return typeof value === 'number' || typeof value === 'boolean' ? { type: typeof value } : {};
    }
    const properties = Object.entries(object).map(([name, inner]) => [name, describe(inner, level + 1)]);
    return { type: 'object', properties: Object.fromEntries(properties) };
  };
  return describe(defaults, 0);
};
