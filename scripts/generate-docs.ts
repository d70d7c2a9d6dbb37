/** Makes the pages of docs/ that come from code; with `--check` it writes nothing and says which are out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { errorCatalog } from '../src/core/errors.ts';
import { definitionOf, type EventName, eventCatalog } from '../src/core/events/catalog.ts';
import { describeVariables } from '../src/platform/config/config.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');

const errorsPage = (): string => {
  const rows = Object.entries(errorCatalog).map(
    ([code, entry]) =>
      `| \`${code}\` | ${entry.status} | ${yesOrNo(entry.retryable)} | ${cell(entry.text)} |`,
  );
  return `${[
    '# Errors',
    '',
    '<!-- Made from src/core/errors.ts by `npm run docs`; a test compares the two. -->',
    '',
    'Every refusal and failure has a code of this table. Over HTTP it comes as',
    '`{"error": {"code", "message", "details"?, "requestId"}}` with the status of its row; `message` may say more than the meaning',
    'here does, and `details` has the facts for a program. A render that failed has its code in `error.code` of the export.',
    '`Retryable` says whether the same request, or the same render, may succeed when it is tried again unchanged.',
    '',
    '| Code | Status | Retryable | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n')}\n`;
};

interface PropertySchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly description?: string;
}

const typeOf = ({ type, enum: values, const: constant }: PropertySchema): string =>
  constant !== undefined
    ? `\`${constant}\``
    : (values?.map((value) => `\`${value}\``).join(', ') ?? type ?? 'any');

const eventSection = (name: EventName): string[] => {
  const event = definitionOf(name);
  const schema = z.toJSONSchema(event.emitted ?? event.properties, { io: 'input' }) as {
    properties: Record<string, PropertySchema>;
    required?: readonly string[];
  };
  const rows = Object.entries(schema.properties).map(([property, inner]) => {
    const optional = schema.required?.includes(property) ? '' : 'optional';
    return `| \`${property}\` | ${cell(typeOf(inner))} | ${optional} | ${cell(inner.description ?? '')} |`;
  });
  return [
    `## ${name}`,
    '',
    `${event.description} Family ${event.family}, schema version ${event.schemaVersion}, kept as ${event.retention}, sent by ${event.sources.join(' and ')}.`,
    '',
    '| Property | Type | | Meaning |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
  ];
};

const eventsPage = (): string =>
  [
    '# Events',
    '',
    '<!-- Made from src/core/events by `npm run docs`; a test compares the two. -->',
    '',
    'What may be in the event log. Every row also has the envelope: `id`, `event_name`, `occurred_at`, `received_at`,',
    '`organization_id`, `user_id`, `distinct_id`, `session_id`, `entity_type`, `entity_id`, `correlation_id`, `source`,',
    '`environment`, `schema_version`, `context`. A property that is not listed is refused.',
    '',
    ...(Object.keys(eventCatalog) as EventName[]).flatMap(eventSection),
  ].join('\n');

const variablesStart = '<!-- variables: made from src/platform/config/config.ts by `npm run docs` -->';
const variablesEnd = '<!-- /variables -->';

/** The README as it is, with its table of variables made anew. */
const readme = (): string => {
  const text = readFileSync(fileOf('README.md'), 'utf8');
  const [before = '', rest = ''] = text.split(variablesStart);
  const after = rest.split(variablesEnd)[1] ?? '';
  const rows = describeVariables().map(
    ({ name, fallback, description }) =>
      `| \`${name}\` | ${fallback === '' ? '' : `\`${cell(fallback)}\``} | ${cell(description)} |`,
  );
  const table = ['| variable | default | meaning |', '| --- | --- | --- |', ...rows].join('\n');
  return `${before}${variablesStart}\n${table}\n${variablesEnd}${after}`;
};

export const pages: Readonly<Record<string, () => string>> = {
  'docs/errors.md': errorsPage,
  'docs/events.md': eventsPage,
  'README.md': readme,
};

const fileOf = (path: string): URL => new URL(`../${path}`, import.meta.url);

const isUpToDate = (path: string, content: string): boolean => {
  try {
    return readFileSync(fileOf(path), 'utf8') === content;
  } catch {
    return false;
  }
};

const main = (check: boolean): number => {
  const outdated = Object.entries(pages).filter(([path, make]) => !isUpToDate(path, make()));
  for (const [path, make] of outdated) {
    if (check) console.error(`${path} is out of date: run node --import tsx scripts/generate-docs.ts`);
    else writeFileSync(fileOf(path), make());
  }
  return check && outdated.length > 0 ? 1 : 0;
};

if (import.meta.filename === process.argv[1]) process.exitCode = main(process.argv.includes('--check'));
