/** Properties of events as tables; those that many events share have a table of their own, once. */
import { z } from 'zod';
import { definitionOf, type EventName } from '../../src/core/events/catalog.ts';
import { type CatalogEntry, toJsonSchema } from '../../src/core/events/json-schema.ts';
import { orderFacts } from '../../src/core/events/monetization.ts';
import { attributionFacts, footageFacts } from '../../src/core/events/properties.ts';
import { cell, code } from './markdown.ts';

interface PropertySchema {
  readonly type?: string | readonly string[];
  readonly items?: PropertySchema;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly PropertySchema[];
  readonly description?: string;
}
type Properties = Readonly<Record<string, PropertySchema>>;

interface SharedSet {
  readonly title: string;
  readonly properties: Properties;
}

const sharedSets: readonly SharedSet[] = [
  { title: 'Where someone came from', facts: attributionFacts },
  { title: 'What a job works on', facts: footageFacts },
  { title: 'What was ordered', facts: orderFacts },
].map(({ title, facts }) => ({ title, properties: toJsonSchema(z.object(facts)).properties }));

const typeOf = (schema: PropertySchema): string => {
  if (schema.const !== undefined) return code(schema.const);
  if (schema.enum) return schema.enum.map(code).join(', ');
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  return [schema.type ?? 'any'].flat().join(' or ');
};

/** What our own code gives of a property: always, or where it is known. Undefined where nobody else sends the event otherwise. */
const givenByUs = (name: EventName): ((property: string) => string) | undefined => {
  const { emitted } = definitionOf(name);
  if (emitted === undefined) return undefined;
  const { properties, required = [] } = toJsonSchema(emitted);
  const given = (property: string) => (Object.hasOwn(properties, property) ? 'sometimes' : '');
  return (property) => (required.includes(property) ? 'always' : given(property));
};

const table = (columns: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${columns.join(' | ')} |`,
  `| ${columns.map(() => '---').join(' | ')} |`,
  ...rows.map((row) => `| ${row.join(' | ')} |`),
  '',
];

const anchor = (title: string): string => title.toLowerCase().replaceAll(' ', '-');

/** Sets that an event has whole, and that our own code does not give in part. */
const setsOf = (properties: Properties, ours: (property: string) => string): readonly SharedSet[] =>
  sharedSets.filter((set) => {
    const names = Object.keys(set.properties);
    return (
      names.every((name) => JSON.stringify(properties[name]) === JSON.stringify(set.properties[name])) &&
      new Set(names.map(ours)).size === 1
    );
  });

export const propertyTable = ({ name, schema }: CatalogEntry): string[] => {
  const properties: Properties = schema.properties;
  const isToldApart = givenByUs(name);
  const ours = isToldApart ?? (() => '');
  const sets = setsOf(properties, ours);
  const inSets = new Set(sets.flatMap((set) => Object.keys(set.properties)));
  const row = (first: string, type: string, isRequired: boolean, given: string, meaning: string) => [
    ...[first, type, isRequired ? 'yes' : ''],
    ...(isToldApart ? [given] : []),
    meaning,
  ];
  const rows = [
    ...sets.map(({ title, properties: set }) => {
      const count = Object.keys(set).length;
      const given = ours(Object.keys(set)[0] ?? '');
      return row(`[${title}](#${anchor(title)})`, `${count} properties`, false, given, '');
    }),
    ...Object.entries(properties)
      .filter(([property]) => !inSets.has(property))
      .map(([property, inner]) => {
        const isRequired = schema.required?.includes(property) ?? false;
        return row(
          code(property),
          cell(typeOf(inner)),
          isRequired,
          ours(property),
          cell(inner.description ?? ''),
        );
      }),
  ];
  if (rows.length === 0) return ['No properties of its own.', ''];
  return table(['Property', 'Type', 'Required', ...(isToldApart ? ['From us'] : []), 'Meaning'], rows);
};

export const sharedSections = (): string[] => [
  '## Properties that many events share',
  '',
  ...sharedSets.flatMap(({ title, properties }) => [
    `### ${title}`,
    '',
    ...table(
      ['Property', 'Type', 'Meaning'],
      Object.entries(properties).map(([property, inner]) => [
        code(property),
        cell(typeOf(inner)),
        cell(inner.description ?? ''),
      ]),
    ),
  ]),
];
