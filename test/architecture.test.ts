/** The rules of the design, as a program. Each fails with one sentence per offence. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { isEventName } from '../src/core/events/catalog.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Import {
  /** As it is written. */
  readonly specifier: string;
  /** Of a file of ours, from the root; null for packages. */
  readonly file: string | null;
  readonly typeOnly: boolean;
}

interface SourceFile {
  /** From the root, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
  readonly syntax: ts.SourceFile;
}

const walk = (syntax: ts.Node, visit: (node: ts.Node) => void): void => {
  visit(syntax);
  syntax.forEachChild((child) => walk(child, visit));
};

/** What an import statement, a re-export, an `import()` or an `import('…')` type names; else undefined. */
const specifierOf = (node: ts.Node): { text: string; typeOnly: boolean } | undefined => {
  if (
    (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
    node.moduleSpecifier &&
    ts.isStringLiteral(node.moduleSpecifier)
  ) {
    const clause = ts.isImportDeclaration(node) ? node.importClause : node;
    const typeOnly =
      clause !== undefined &&
      (ts.isImportClause(clause) ? clause.phaseModifier === ts.SyntaxKind.TypeKeyword : clause.isTypeOnly);
    return { text: node.moduleSpecifier.text, typeOnly };
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const [argument] = node.arguments;
    return argument && ts.isStringLiteralLike(argument)
      ? { text: argument.text, typeOnly: false }
      : undefined;
  }
  if (
    ts.isImportTypeNode(node) &&
    ts.isLiteralTypeNode(node.argument) &&
    ts.isStringLiteral(node.argument.literal)
  ) {
    return { text: node.argument.literal.text, typeOnly: true };
  }
  return undefined;
};

const readSource = (path: string): SourceFile => {
  const text = readFileSync(join(root, path), 'utf8');
  const kind = path.endsWith('x') ? ts.ScriptKind.TSX : ts.ScriptKind.TS;
  const syntax = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true, kind);
  const imports: Import[] = [];
  walk(syntax, (node) => {
    const found = specifierOf(node);
    if (!found) return;
    const file = found.text.startsWith('.')
      ? relative(root, join(root, dirname(path), found.text)).replaceAll('\\', '/')
      : null;
    imports.push({ specifier: found.text, file, typeOnly: found.typeOnly });
  });
  return { path, text, lines: text.split('\n').length - 1, imports, syntax };
};

const sourcesIn = (folder: string): SourceFile[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
    .filter(
      (path) =>
        /\.tsx?$/.test(path) && !path.includes('/node_modules/') && statSync(join(root, path)).isFile(),
    )
    .toSorted()
    .map(readSource);

const src = sourcesIn('src');
const remotion = sourcesIn('remotion');

/** `src/features/renders/process.ts` → layer `features`, part `renders`. */
const placeOf = (path: string): { layer: string; part: string } => {
  const [, layer = '', part = ''] = path.split('/');
  return { layer, part };
};
const isTest = (found: readonly string[]) => expect(found).toEqual([]);
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const isNode = (specifier: string): boolean =>
  specifier.startsWith('node:') || builtinModules.includes(packageOf(specifier));

/** Each import of these files, with the file that has it. */
const importsOf = (files: readonly SourceFile[]) =>
  files.flatMap((file) => file.imports.map((one) => ({ from: file.path, ...one })));

test('there is something to look at', () => {
  expect(src.length).toBeGreaterThan(100);
  expect(remotion.length).toBeGreaterThan(10);
  expect(importsOf(src).length).toBeGreaterThan(500);
});

describe('imports', () => {
  test('of our own files lead to files that exist, and name their extension', () => {
    const paths = new Set([...src, ...remotion].map((file) => file.path));
    isTest(
      importsOf([...src, ...remotion])
        .filter((one) => one.file !== null && !paths.has(one.file) && !one.file.endsWith('package.json'))
        .map((one) => `${one.from} imports ${one.specifier}, which is no file of src/ or remotion/.`),
    );
  });

  test('go downwards: apps → features → domain → platform → core; client and web see core only', () => {
    const below: Readonly<Record<string, readonly string[]>> = {
      core: ['core'],
      platform: ['platform', 'core'],
      domain: ['domain', 'platform', 'core'],
      features: ['features', 'domain', 'platform', 'core'],
      apps: ['apps', 'features', 'domain', 'platform', 'core', 'client'],
      client: ['client', 'core'],
      web: ['web', 'core'],
    };
    isTest(
      importsOf(src)
        .filter((one) => one.file?.startsWith('src/'))
        .filter((one) => !(below[placeOf(one.from).layer] ?? []).includes(placeOf(one.file ?? '').layer))
        .map(
          (one) =>
            `${one.from} imports ${one.file}: ${placeOf(one.from).layer} may not see ${placeOf(one.file ?? '').layer}.`,
        ),
    );
  });

  test('of a feature never lead to another feature: they meet in the domain, by event, or by job', () => {
    isTest(
      importsOf(src)
        .filter((one) => placeOf(one.from).layer === 'features' && one.file?.startsWith('src/features/'))
        .filter((one) => placeOf(one.from).part !== placeOf(one.file ?? '').part)
        .map((one) => `${one.from} imports ${one.file}, which is another feature.`),
    );
  });

  test('of a platform folder lead to no other platform folder but db, log, lifecycle, clock and egress', () => {
    // egress judges which addresses may be connected to: a second judgement would be the weaker one.
    const common = ['db', 'log', 'lifecycle', 'clock', 'egress'];
    isTest(
      importsOf(src)
        .filter((one) => placeOf(one.from).layer === 'platform' && one.file?.startsWith('src/platform/'))
        .filter((one) => ![...common, placeOf(one.from).part].includes(placeOf(one.file ?? '').part))
        .map((one) => `${one.from} imports ${one.file}, which is another platform folder.`),
    );
  });

  test('of core are zod and core', () => {
    isTest(
      importsOf(src)
        .filter((one) => placeOf(one.from).layer === 'core')
        .filter((one) => one.specifier !== 'zod' && !one.file?.startsWith('src/core/'))
        .map((one) => `${one.from} imports ${one.specifier}: core is pure.`),
    );
  });

  test('of remotion/ are react, remotion, @remotion/*, zod, its own files and src/core', () => {
    const allowed = /^(react|react-dom|remotion|zod|@remotion\/.+)(\/.*)?$/;
    isTest(
      importsOf(remotion)
        .filter((one) => !allowed.test(one.specifier) && !/^(remotion|src\/core)\//.test(one.file ?? ''))
        .map((one) => `${one.from} imports ${one.specifier}: a composition runs in a browser.`),
    );
  });

  test('of Remotion stand below src/platform/renderer, and in the one file that sets Lambda up, so that the API never loads it', () => {
    isTest(
      importsOf(src)
        .filter(
          (one) =>
            /^(@remotion\/|remotion$|remotion\/)/.test(one.specifier) &&
            !one.from.startsWith('src/platform/renderer/') &&
            one.from !== 'src/platform/aws/remotion-lambda.ts',
        )
        .map((one) => `${one.from} imports ${one.specifier}: only src/platform/renderer may.`),
    );
  });

  test('of fastify and platform/http stand in features in routes.ts only', () => {
    isTest(
      importsOf(src)
        .filter(
          (one) =>
            ['features', 'domain'].includes(placeOf(one.from).layer) &&
            !/^src\/features\/[^/]+\/routes\.ts$/.test(one.from),
        )
        .filter((one) => /^@?fastify/.test(one.specifier) || one.file?.startsWith('src/platform/http/'))
        .map((one) => `${one.from} imports ${one.specifier}: only routes.ts knows HTTP.`),
    );
  });

  test('of bullmq and ioredis stand in src/platform/queue only, and of its port in domain nowhere', () => {
    isTest(
      importsOf(src)
        .filter(
          (one) =>
            /^(bullmq|ioredis)(\/|$)/.test(one.specifier) && !one.from.startsWith('src/platform/queue/'),
        )
        .map((one) => `${one.from} imports ${one.specifier}: only src/platform/queue may.`)
        .concat(
          importsOf(src)
            .filter(
              (one) => placeOf(one.from).layer === 'domain' && one.file?.startsWith('src/platform/queue/'),
            )
            .map((one) => `${one.from} imports ${one.file}: a request is accepted without the queue.`),
        ),
    );
  });

  test('of packages are packages that package.json names', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      dependencies: Record<string, string>;
    };
    /** What a tenant's own project brings: the bundle's entry is compiled inside of it. */
    const broughtByTheTenant = 'src/platform/renderer/bundle/entry/';
    isTest(
      importsOf(src)
        .filter(
          (one) => one.file === null && !isNode(one.specifier) && !one.from.startsWith(broughtByTheTenant),
        )
        .filter((one) => dependencies[packageOf(one.specifier)] === undefined)
        .map(
          (one) =>
            `${one.from} imports ${one.specifier}, which package.json does not name among its dependencies.`,
        ),
    );
  });

  test('never go in a circle', () => {
    const graph = new Map(
      [...src, ...remotion].map((file) => [
        file.path,
        // Types included: two files that need each other's words cannot be read one after the other.
        file.imports.flatMap((one) => (one.file === null ? [] : [one.file])),
      ]),
    );
    isTest(
      findCycles(graph).map((cycle) => `These files import each other in a circle: ${cycle.join(' → ')}.`),
    );
  });

  test('of domain folders, types included, never go in a circle between folders', () => {
    const graph = new Map<string, string[]>();
    for (const one of importsOf(src)) {
      if (placeOf(one.from).layer !== 'domain' || !one.file?.startsWith('src/domain/')) continue;
      const [from, to] = [placeOf(one.from).part, placeOf(one.file).part];
      if (from !== to) graph.set(from, [...(graph.get(from) ?? []), to]);
    }
    isTest(
      findCycles(graph).map(
        (cycle) => `These domain folders use each other in a circle: ${cycle.join(' → ')}.`,
      ),
    );
  });
});

/** Each circle once, as the way from its first file back to it. */
const findCycles = (graph: ReadonlyMap<string, readonly string[]>): string[][] => {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, way: readonly string[]): void => {
    const at = way.indexOf(node);
    if (at >= 0) cycles.push([...way.slice(at), node]);
    if (at >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...way, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return cycles;
};

describe('the environment', () => {
  /** These start a child process, which needs the environment of its parent to run at all; none takes a setting from it. */
  const handsItOn: readonly string[] = [
    'src/platform/renderer/bundle/run-build-child.ts',
    'src/platform/renderer/local/pool/fork-child.ts',
    'src/platform/db/embedded/server-environment.ts',
  ];

  const readsEnvironment = (file: SourceFile): boolean => {
    let found = false;
    walk(file.syntax, (node) => {
      if (/^process(\.env|\[.env.\])$/.test(ts.isExpression(node) ? node.getText() : '')) found = true;
      if (ts.isVariableDeclaration(node) && node.initializer?.getText() === 'process') found = true;
    });
    return found || file.imports.some((one) => /^(node:)?process$/.test(one.specifier));
  };

  test('is read by apps only', () => {
    isTest(
      src
        .filter(
          (file) =>
            placeOf(file.path).layer !== 'apps' && !handsItOn.includes(file.path) && readsEnvironment(file),
        )
        .map((file) => `${file.path} reads process.env: the configuration is read once, by apps.`),
    );
  });

  test('is handed on by those that are excused for it, and by no file that is gone', () => {
    const readers = src.filter(readsEnvironment).map((file) => file.path);
    isTest(
      handsItOn
        .filter((path) => !readers.includes(path))
        .map((path) => `${path} is excused and does not read process.env.`),
    );
  });
});

describe('tables', () => {
  /** One folder of the domain is the only writer of each. `installation` belongs to who installs. */
  const writers: Readonly<Record<string, string>> = {
    organization: 'src/domain/accounts',
    api_key: 'src/domain/accounts',
    end_user: 'src/domain/accounts',
    user_milestone: 'src/domain/accounts',
    project: 'src/domain/accounts',
    bundle: 'src/domain/compositions',
    composition: 'src/domain/compositions',
    still_check: 'src/domain/compositions',
    batch: 'src/domain/batches',
    batch_variant: 'src/domain/batches',
    batch_run: 'src/domain/batches',
    export: 'src/domain/exports',
    usage_day: 'src/domain/exports',
    idempotency_key: 'src/domain/exports',
    worker: 'src/domain/exports',
    render_chunk: 'src/domain/exports',
    render_mode_watch: 'src/domain/exports',
    lambda_limit: 'src/domain/lambda',
    lambda_lease: 'src/domain/lambda',
    artifact: 'src/domain/artifacts',
    download_window: 'src/domain/artifacts',
    download_count: 'src/domain/artifacts',
    credit_balance: 'src/domain/credits',
    credit_entry: 'src/domain/credits',
    domain_event: 'src/domain/events',
    domain_event_key: 'src/domain/events',
    event_cursor: 'src/domain/events',
    event_definition: 'src/domain/events',
    event_use: 'src/domain/projection',
    person_activity: 'src/domain/projection',
    visitor: 'src/domain/identity',
    identity_link: 'src/domain/identity',
    person_consent: 'src/domain/identity',
    erasure_request: 'src/domain/identity',
    event_sink: 'src/domain/deliveries',
    webhook_secret: 'src/domain/deliveries',
    event_delivery: 'src/domain/deliveries',
    delivery_shard: 'src/domain/deliveries',
    export_stat_delta: 'src/domain/statistics',
    export_stat: 'src/domain/statistics',
    export_hour_stat: 'src/domain/statistics',
    export_active_month: 'src/domain/statistics',
    installation: 'src/apps',
  };

  const writesIn = (text: string): string[] => {
    const built = text.matchAll(
      /\.(?:insertInto|updateTable|deleteFrom|mergeInto|replaceInto)\(\s*['"`](\w+)/g,
    );
    // `DO UPDATE SET` and `FOR UPDATE` name no table.
    const raw = text.matchAll(
      /\b(?:INSERT INTO|DELETE FROM|TRUNCATE(?: TABLE)?|MERGE INTO|(?<!DO |FOR |KEY )UPDATE(?! SET\b)(?: ONLY)?)\s+"?([a-z_]+)"?/g,
    );
    return [...built, ...raw].map(([, table = '']) => table);
  };

  const written = src
    .filter((file) => !file.path.startsWith('src/platform/db/migrations/'))
    .flatMap((file) => writesIn(file.text).map((table) => ({ path: file.path, table })));

  test('are written by their own folder of the domain and nobody else', () => {
    expect(new Set(written.map((one) => one.table)).size).toBeGreaterThan(15);
    isTest(
      written
        .filter(({ path, table }) => !path.startsWith(`${writers[table] ?? 'no folder'}/`))
        .map(
          ({ path, table }) =>
            `${path} writes ${table}, whose only writer is ${writers[table] ?? 'not named in this test'}.`,
        ),
    );
  });

  test('of the migrations all have a writer here, and none has one that is gone', () => {
    const migrations = src
      .filter((file) => file.path.startsWith('src/platform/db/migrations/'))
      .map((file) => file.text);
    const made = migrations.flatMap((text) =>
      [...text.matchAll(/^CREATE TABLE (\w+) \(/gm)].map(([, table = '']) => table),
    );
    expect(made.toSorted()).toEqual(Object.keys(writers).toSorted());
  });
});

describe('files', () => {
  test('of src have at most 400 lines', () => {
    isTest(
      src
        .filter((file) => file.lines > 400)
        .map((file) => `${file.path} has ${file.lines} lines: find its two subjects.`),
    );
  });

  test('of src hold no index.ts, through which a folder would import itself', () => {
    isTest(src.filter((file) => /\/index\.tsx?$/.test(file.path)).map((file) => `${file.path} is an index.`));
  });
});

describe('events', () => {
  const nameIn = (object: ts.ObjectLiteralExpression): string | undefined => {
    const [property] = object.properties.filter(
      (one) => ts.isPropertyAssignment(one) && one.name.getText() === 'name',
    );
    const value = property && ts.isPropertyAssignment(property) ? property.initializer : undefined;
    return value && ts.isStringLiteral(value) ? value.text : undefined;
  };

  /** Of `emit(tx, { name: '…' })` and `track('…')`. */
  const nameCalledWith = (call: ts.CallExpression): string | undefined => {
    const called = ts.isPropertyAccessExpression(call.expression)
      ? call.expression.name.text
      : call.expression.getText();
    const [first, second] = call.arguments;
    if (called === 'track' && first && ts.isStringLiteral(first)) return first.text;
    return called === 'emit' && second && ts.isObjectLiteralExpression(second) ? nameIn(second) : undefined;
  };

  /** Of `NewEvent<'…'>`, the type of what is emitted several at a time. */
  const nameOfType = (node: ts.Node): string | undefined => {
    if (!ts.isTypeReferenceNode(node) || node.typeName.getText() !== 'NewEvent') return undefined;
    const [argument] = node.typeArguments ?? [];
    return argument && ts.isLiteralTypeNode(argument) && ts.isStringLiteral(argument.literal)
      ? argument.literal.text
      : undefined;
  };

  const namesEmitted = (file: SourceFile): string[] => {
    const names: string[] = [];
    walk(file.syntax, (node) => {
      const name = ts.isCallExpression(node) ? nameCalledWith(node) : nameOfType(node);
      if (name !== undefined) names.push(name);
    });
    return names;
  };
  const emitted = src.flatMap((file) => namesEmitted(file).map((name) => ({ path: file.path, name })));

  test('that code emits are in the catalog', () => {
    expect(new Set(emitted.map((one) => one.name)).size).toBeGreaterThanOrEqual(15);
    isTest(
      emitted
        .filter(({ name }) => !isEventName(name))
        .map(({ path, name }) => `${path} emits ${name}, which is not in the catalog.`),
    );
  });
});
