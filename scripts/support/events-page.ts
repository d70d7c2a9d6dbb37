/** docs/events.md: the catalog, for people. */
import { eventFamilies } from '../../src/core/events/define-event.ts';
import { type CatalogEntry, describeCatalog } from '../../src/core/events/json-schema.ts';
import { derivedNames } from '../../src/core/projection/derived-names.ts';
import { cell, code } from './markdown.ts';
import { propertyTable, sharedSections } from './property-table.ts';

const list = (texts: readonly string[]): string => texts.map(code).join(', ');

const sinksOf = ({ name, sinks }: CatalogEntry): string[] => [
  ...(sinks.posthog === null ? ['not for PostHog'] : []),
  ...(sinks.posthog === null || sinks.posthog === name ? [] : [`PostHog: ${code(sinks.posthog)}`]),
  ...(sinks.meta === null
    ? []
    : [`Meta: ${code(sinks.meta.event)}${sinks.meta.firstOnly ? ', the first of a person' : ''}`]),
];

const factsOf = (event: CatalogEntry): string =>
  [
    `Sources: ${event.sources.join(', ')}`,
    `kept as ${event.retention}`,
    `version ${event.schemaVersion}`,
    ...(event.stage === null ? [] : [`stage ${event.stage}`]),
    ...(event.northStar === null ? [] : [`north star: ${event.northStar}`]),
    ...(event.aliases.length === 0 ? [] : [`also taken as ${list(event.aliases)}`]),
    ...(event.countsUse ? ['its uses are counted'] : []),
    ...(event.ownedByService ? ['recorded by Rendermill only'] : []),
    ...sinksOf(event),
  ].join(' · ');

const eventSection = (event: CatalogEntry): string[] => [
  `### ${event.name}`,
  '',
  event.description,
  '',
  factsOf(event),
  '',
  ...propertyTable(event),
];

const titleOf = (family: string): string =>
  family.charAt(0).toUpperCase() + family.slice(1).replaceAll('_', ' ');

const familySection = (family: string, events: readonly CatalogEntry[]): string[] => [
  `## ${titleOf(family)}`,
  '',
  ...events.filter((event) => event.family === family).flatMap(eventSection),
];

const overview = (events: readonly CatalogEntry[]): string[] => [
  '| Family | Events |',
  '| --- | --- |',
  ...eventFamilies.map((family) => {
    const links = events.filter((event) => event.family === family).map(({ name }) => `[${name}](#${name})`);
    return `| ${titleOf(family)} | ${links.join(', ')} |`;
  }),
  '',
];

const derivedTable = (): string[] => [
  '## Derived values',
  '',
  'Added by the server before an event goes to a sink; where an event has a property of that name, the derived value stands.',
  '',
  '| Name | Type | On | Meaning |',
  '| --- | --- | --- | --- |',
  ...Object.entries(derivedNames).map(
    ([name, { type, on, description }]) =>
      `| ${code(name)} | ${cell(type)} | ${cell(on)} | ${cell(description)} |`,
  ),
];

const introduction = `# Events

<!-- Made from src/core/events by \`npm run docs\`; a test compares the two. -->

The catalog: every event that has a meaning to Rendermill. The same as JSON Schema is at \`GET /api/v1/catalog\` and in
[event-schemas.json](event-schemas.json).

- Every event also has the envelope: \`id\`, \`event\` and \`timestamp\` (in the table: \`event_name\`, \`occurred_at\`), \`received_at\`, \`organization_id\`,
  \`user_id\`, \`distinct_id\`, \`session_id\`, \`entity_type\`, \`entity_id\`, \`correlation_id\`, \`source\`, \`environment\`,
  \`schema_version\`, \`context\`.
- *Required* is what the event makes no sense without; the rest is typed where it is there. A property that is not listed is
  kept as it is; null for one that may be absent counts as absent.
- *From us* says what Rendermill itself gives where it records that event.
- *Sources* may send it: a browser's key sends from \`web\` only. *Kept as behaviour*: 90 days; *as business*: until its
  person is erased. A name of *also taken as* becomes the event's own in the log.
- *Its uses are counted* per user and organization: it carries \`user_use_index\` and its like.
- A schema only grows: what has landed in event-schemas.json may be added to, never narrowed.
`;

export const eventsPage = (): string => {
  const events = describeCatalog();
  return [
    introduction,
    ...overview(events),
    ...eventFamilies.flatMap((family) => familySection(family, events)),
    ...sharedSections(),
    ...derivedTable(),
    '',
  ].join('\n');
};
