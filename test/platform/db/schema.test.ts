import { fileURLToPath } from 'node:url';
import { sql } from 'kysely';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';
import { openTestDatabase } from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

interface Column {
  /** Of the value as it is read. */
  readonly type: string;
  readonly nullable: boolean;
  /** Has a default, so that an insert may leave it out. */
  readonly generated: boolean;
}
type Tables = Record<string, Record<string, Column>>;

const schemaFile = fileURLToPath(new URL('../../../src/platform/db/schema.ts', import.meta.url));
const kinds = { jsonb: 'json', other: 'unknown' } as const;

/**
 * What src/platform/db/schema.ts says, read by the compiler itself. The file is completed by a type that resolves Kysely's
 * wrappers, so that `Generated<…>` and `ColumnType<…>` count as what a reader and a writer get.
 */
const declaredTables = (): Tables => {
  const probe = schemaFile.replace(/schema\.ts$/, 'schema.probe.ts');
  const text = `import type { Insertable, Selectable } from 'kysely';
    import type { Schema } from './schema.ts';
    export type Read = { [Table in keyof Schema]: Selectable<Schema[Table]> };
    export type Written = { [Table in keyof Schema]: Insertable<Schema[Table]> };`;
  const options: ts.CompilerOptions = {
    strict: true,
    exactOptionalPropertyTypes: true,
    target: ts.ScriptTarget.ES2023,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === probe || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === probe ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2023) : getSourceFile(name, ...rest);
  const program = ts.createProgram([probe], options, host);
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(probe);
  const aliasNamed = (name: string): ts.TypeAliasDeclaration | undefined =>
    source?.statements.filter((one) => ts.isTypeAliasDeclaration(one)).find((one) => one.name.text === name);

  const read = aliasNamed('Read');
  const written = aliasNamed('Written');
  if (!source || !read || !written) throw new Error('schema.ts could not be compiled');
  const typeOfProperty = (property: ts.Symbol) => checker.getTypeOfSymbolAtLocation(property, source);
  const optional = new Set<string>();
  for (const table of checker.getPropertiesOfType(checker.getTypeAtLocation(written))) {
    for (const column of checker.getPropertiesOfType(typeOfProperty(table))) {
      if (column.flags & ts.SymbolFlags.Optional) optional.add(`${table.name}.${column.name}`);
    }
    // What may not be written at all is not there, and the database fills it in.
    for (const column of checker.getPropertiesOfType(columnsRead(checker, source, read, table.name))) {
      const isThere = checker.getPropertyOfType(typeOfProperty(table), column.name);
      if (!isThere) optional.add(`${table.name}.${column.name}`);
    }
  }
  const tables: Tables = {};
  for (const table of checker.getPropertiesOfType(checker.getTypeAtLocation(read))) {
    const columns: Record<string, Column> = {};
    for (const column of checker.getPropertiesOfType(typeOfProperty(table))) {
      const type = typeOfProperty(column);
      const nullable = type.isUnion() && type.types.some((one) => one.flags & ts.TypeFlags.Null);
      columns[column.name] = {
        type: kindOf(checker, checker.getNonNullableType(type)),
        nullable,
        // A column that may be null may always be left out.
        generated: !nullable && optional.has(`${table.name}.${column.name}`),
      };
    }
    tables[table.name] = columns;
  }
  return tables;
};

const columnsRead = (
  checker: ts.TypeChecker,
  source: ts.SourceFile,
  alias: ts.TypeAliasDeclaration,
  table: string,
): ts.Type => {
  const property = checker.getPropertyOfType(checker.getTypeAtLocation(alias), table);
  if (!property) throw new Error(`there is no table ${table}`);
  return checker.getTypeOfSymbolAtLocation(property, source);
};

const kindOf = (checker: ts.TypeChecker, type: ts.Type): string => {
  if (
    type.flags & ts.TypeFlags.StringLike ||
    (type.isUnion() && type.types.every((one) => one.flags & ts.TypeFlags.StringLike))
  ) {
    return 'string';
  }
  if (type.flags & ts.TypeFlags.NumberLike) return 'number';
  if (type.flags & ts.TypeFlags.BooleanLike) return 'boolean';
  const name = type.symbol?.name ?? checker.typeToString(type);
  return name === 'Date' || name === 'Buffer' ? name : kinds.jsonb;
};

/** What a reader gets of each type of Postgres, with our parsers. */
const readAs: Readonly<Record<string, string>> = {
  text: 'string',
  uuid: 'string',
  date: 'string',
  xid8: 'string',
  integer: 'number',
  smallint: 'number',
  'text[]': 'json',
  'bigint[]': 'json',
  bigint: 'number',
  'double precision': 'number',
  boolean: 'boolean',
  'timestamp with time zone': 'Date',
  bytea: 'Buffer',
  jsonb: 'json',
};

const realTables = async (): Promise<Tables> => {
  const { rows } = await sql<{
    table: string;
    column: string;
    type: string;
    nullable: boolean;
    generated: boolean;
  }>`
    SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, NULL) AS type, NOT a.attnotnull AS nullable,
      a.atthasdef AND a.attnotnull AS generated
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname NOT LIKE 'kysely_%'`.execute(db);
  const tables: Tables = {};
  for (const { table, column, type, nullable, generated } of rows) {
    const columns = tables[table] ?? {};
    columns[column] = { type: readAs[type] ?? kinds.other, nullable, generated };
    tables[table] = columns;
  }
  return tables;
};

/** Columns with a default that our code gives at every insert all the same: stricter here than in the database. */
const alwaysGiven: readonly string[] = [
  'installation.environment',
  'composition.schema_notes',
  'domain_event.context',
];

test('schema.ts is what the migrations make: tables, columns, types, what may be null and what has a default', async () => {
  const real = await realTables();
  for (const place of alwaysGiven) {
    const [table = '', column = ''] = place.split('.');
    const described = real[table]?.[column];
    expect(described?.generated, `${place} has a default`).toBe(true);
    if (described) Object.assign(described, { generated: false });
  }
  const declared = declaredTables();
  expect(Object.keys(declared).length).toBeGreaterThan(15);
  expect(declared).toEqual(real);
});
