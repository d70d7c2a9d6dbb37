/** Makes the pages of docs/ that come from code; with `--check` it writes nothing and says which are out of date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { errorCatalog } from '../src/core/errors.ts';
import { describeVariables } from '../src/platform/config/config.ts';
import { eventSchemasPage } from './support/event-schemas-page.ts';
import { eventsPage } from './support/events-page.ts';
import { cell } from './support/markdown.ts';

const yesOrNo = (value: boolean): string => (value ? 'yes' : 'no');

const errorsPage = (): string => {
  const rows = Object.entries(errorCatalog).map(
    ([code, entry]) =>
      `| \`${code}\` | ${entry.status} | ${yesOrNo(entry.retryable)} | ${cell(entry.text)} |`,
  );
  return `${[
    '# Errors',
    '',
    '<!-- Made from src/core/error-catalog.ts by `npm run docs`; a test compares the two. -->',
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
  'docs/event-schemas.json': eventSchemasPage,
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
