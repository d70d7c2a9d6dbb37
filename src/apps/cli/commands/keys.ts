import { type Command, Option } from 'commander';
import {
  createApiKey,
  type KeyKind,
  keyKinds,
  listApiKeys,
  revokeApiKey,
} from '../../../domain/accounts/api-keys.ts';
import { ensureOrganization } from '../../../domain/accounts/organizations.ts';
import type { Database } from '../../../platform/db/client.ts';
import { helpEnd } from '../help.ts';
import { requireOrganization } from '../require-organization.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface KeyOptions {
  readonly organization: string;
  readonly json?: boolean;
}

interface CreateOptions extends KeyOptions {
  readonly kind: KeyKind;
  readonly name: string;
  readonly once?: boolean;
}

export const addKeysCommand = (program: Command, terminal: Terminal): void => {
  const keys = program
    .command('keys')
    .description('API keys of an organization')
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill keys create --organization acme --name backend',
          'rendermill keys list --organization acme --json',
          'rendermill keys revoke 019a… --organization acme',
        ],
        ['DATABASE_URL', 'RENDERMILL_HOME'],
      ),
    );
  const withRecords = (task: (db: Database) => Promise<void>) =>
    runTask(terminal, async (process) => task((await openMigratedRecords(process)).db));

  keys
    .command('create')
    .description('Makes a key and shows it, once; makes the organization at first sight')
    .requiredOption('--organization <id>', 'whose: lower-case letters, digits, - and _')
    .addOption(new Option('--kind <kind>', 'what it may do').choices(keyKinds).default('secret'))
    .option('--name <text>', 'what it is for, to tell it apart', 'cli')
    .option('--once', 'do nothing where a valid key of this kind and name is there already')
    .option('--json', 'print one object')
    .action((options: CreateOptions) => withRecords((db) => createKey(db, options, terminal)));

  keys
    .command('list')
    .description('The keys, without their secret part')
    .requiredOption('--organization <id>', 'whose')
    .option('--json', 'print one object')
    .action((options: KeyOptions) => withRecords((db) => listKeys(db, options, terminal)));

  keys
    .command('revoke')
    .description('Ends a key at once')
    .argument('<id>', 'as `keys list` shows it')
    .requiredOption('--organization <id>', 'whose')
    .option('--json', 'print one object')
    .action((id: string, { organization, json }: KeyOptions) =>
      withRecords(async (db) => {
        await revokeApiKey(db, organization, id, new Date());
        terminal.print(json ? JSON.stringify({ id, revoked: true }) : `Revoked ${id}.`);
      }),
    );
};

const createKey = async (db: Database, options: CreateOptions, terminal: Terminal): Promise<void> => {
  const { organization, kind, name, json, once } = options;
  const before = once ? await findKey(db, options) : undefined;
  if (before !== undefined) {
    return terminal.print(
      json
        ? JSON.stringify({ id: before.id, organization, kind, name, created: false })
        : `There is a ${kind} key "${name}" of ${organization} already: ${before.prefix}…`,
    );
  }
  const { id, key } = await db.transaction().execute(async (tx) => {
    await ensureOrganization(tx, { id: organization });
    return createApiKey(tx, { organizationId: organization, kind, name });
  });
  terminal.print(
    json
      ? JSON.stringify({ id, key, organization, kind, name, created: true })
      : `${key}\n\nThe ${kind} key "${name}" of ${organization} (${id}). Keep it: it is not shown again.`,
  );
};

const findKey = async (db: Database, { organization, kind, name }: CreateOptions) =>
  (await listApiKeys(db, organization)).find(
    (row) => row.kind === kind && row.name === name && row.revoked_at === null,
  );

const listKeys = async (
  db: Database,
  { organization, json }: KeyOptions,
  terminal: Terminal,
): Promise<void> => {
  await requireOrganization(db, organization);
  const rows = (await listApiKeys(db, organization)).map((row) => ({
    id: row.id,
    kind: row.kind,
    name: row.name,
    prefix: row.prefix,
    createdAt: row.created_at.toISOString(),
    revokedAt: row.revoked_at?.toISOString() ?? null,
  }));
  if (json) return terminal.print(JSON.stringify({ keys: rows }));
  if (rows.length === 0) return terminal.print(`Organization "${organization}" has no keys.`);
  terminal.print(
    formatTable(rows.map((row) => ({ ...row, prefix: `${row.prefix}…`, revokedAt: row.revokedAt ?? '-' }))),
  );
};
