import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { retryWaits } from '../../../../src/core/delivery/plan-retry.ts';
import { definitionOf, type EventName, eventCatalog } from '../../../../src/core/events/catalog.ts';
import { describeVariables } from '../../../../src/platform/config/config.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const page = readFileSync(join(root, 'docs/sinks.md'), 'utf8');

/** As if it stood in the file, without writing it. */
const complaintsAbout = (path: string, source: string): string[] => {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.fileExists = (name) => name === path || fileExists(name);
  host.readFile = (name) => (name === path ? source : readFile(name));
  host.getSourceFile = (name, version) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([path], { ...options, noEmit: true }, host);
  const file = program.getSourceFile(path);
  return ts
    .getPreEmitDiagnostics(program, file)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
};

test('the sink on the page compiles where the page says that it belongs', () => {
  const example = [...page.matchAll(/```ts\n([\s\S]+?)```/g)].at(-1)?.[1] ?? '';
  const path = join(root, 'src/features/delivery/sinks/tally.ts');
  expect(complaintsAbout(path, example)).toEqual([]);
  expect(complaintsAbout(path, example.replace("type: 'postponed'", "type: 'later'"))).not.toEqual([]);
  expect(dirname(path)).toContain('delivery/sinks');
});

test('the page names every event that goes to Meta, under its name there', () => {
  const mapped = (Object.keys(eventCatalog) as EventName[]).flatMap((name) => {
    const meta = definitionOf(name).sinks?.meta;
    return meta === undefined ? [] : [{ name, meta }];
  });
  expect(mapped.length).toBeGreaterThan(5);
  for (const { name, meta } of mapped) {
    const first = meta.firstOnly ? ", the person's first" : '';
    expect(page).toContain(`| \`${name}\`${first} | \`${meta.event}\``);
  }
});

test('the page tells the schedule as it is', () => {
  const told = /Retries\*\* come after ([^.]+?), each/.exec(page)?.[1] ?? '';
  const unit = (ms: number): string => {
    if (ms < 60_000) return `${ms / 1_000} s`;
    return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
  };
  expect(told.split(/, | and /)).toEqual(retryWaits.map(unit));
});

test('every variable on the page exists, and every one of these sinks is on it', () => {
  const known = describeVariables().map(({ name }) => name as string);
  const named = [...page.matchAll(/`([A-Z][A-Z_]{4,})`/g)].map(([, name = '']) => name);
  expect(named.filter((name) => !known.includes(name))).toEqual([]);
  const ours = known.filter((name) =>
    /^(META_|EVENT_|POSTHOG_(PROJECT_API_KEY|API_KEY|HOST|DISTINCT))/.test(name),
  );
  expect(ours.filter((name) => !named.includes(name))).toEqual([]);
});
