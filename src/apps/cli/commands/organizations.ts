import { type Command, Option } from 'commander';
import { RendermillError } from '../../../core/errors.ts';
import { type TierOverrides, tierOverridesSchema } from '../../../core/tiers.ts';
import {
  changeOrganization,
  ensureOrganization,
  listOrganizations,
  type Organization,
} from '../../../domain/accounts/organizations.ts';
import { helpEnd } from '../help.ts';
import { readJsonObject } from '../read-json.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface SetOptions {
  readonly name?: string;
  readonly timeZone?: string;
  readonly tiers?: string;
  readonly unknownEvents?: Organization['unknown_events'];
  readonly json?: boolean;
}

export const addOrganizationsCommand = (program: Command, terminal: Terminal): void => {
  const organizations = program
    .command('organizations')
    .description('The tenants: their names, time zones, tiers and what they do with unknown events')
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill organizations set acme --name "Acme Ltd" --time-zone Europe/Berlin',
          `rendermill organizations set acme --tiers '{"free":{"dailyExports":5,"concurrentRenders":2,"retentionDays":7}}'`,
          'rendermill organizations set acme --unknown-events refuse',
          'rendermill organizations list --json',
        ],
        ['DATABASE_URL', 'RENDERMILL_HOME'],
      ),
    );
  organizations
    .command('set <id>')
    .description('Change one; first sight creates it')
    .option('--name <text>', 'what people call it')
    .option('--time-zone <name>', 'whose day the limits count, such as Europe/Berlin')
    .option('--tiers <json>', 'what differs from the default tiers, as JSON or @file; {} for nothing')
    .addOption(
      new Option(
        '--unknown-events <what>',
        'events that nobody has defined: store and mark, or refuse',
      ).choices(['mark', 'refuse']),
    )
    .option('--json', 'print one object')
    .action((id: string, options: SetOptions) =>
      runTask(terminal, async (process) => {
        const tiers = options.tiers === undefined ? undefined : await readTiers(options.tiers);
        const { db } = await openMigratedRecords(process);
        const changed = await db.transaction().execute(async (tx) => {
          await ensureOrganization(tx, { id });
          const { name, timeZone, unknownEvents } = options;
          return changeOrganization(tx, id, { name, timeZone, tiers, unknownEvents });
        });
        print(terminal, [changed], options.json ? JSON.stringify(present(changed)) : undefined);
      }),
    );
  organizations
    .command('list')
    .description('All of them')
    .option('--json', 'print one object')
    .action((options: { json?: boolean }) =>
      runTask(terminal, async (process) => {
        const { db } = await openMigratedRecords(process);
        const found = await listOrganizations(db);
        const json = options.json ? JSON.stringify({ organizations: found.map(present) }) : undefined;
        print(terminal, found, json);
      }),
    );
};

const present = (one: Organization) => ({
  id: one.id,
  name: one.name,
  timeZone: one.time_zone,
  tiers: one.tier_overrides,
  unknownEvents: one.unknown_events,
});

const print = (terminal: Terminal, found: readonly Organization[], json: string | undefined): void =>
  terminal.print(
    json ?? formatTable(found.map((one) => ({ ...present(one), tiers: JSON.stringify(one.tier_overrides) }))),
  );

const readTiers = async (text: string): Promise<TierOverrides> => {
  const parsed = tierOverridesSchema.safeParse(await readJsonObject('--tiers', text));
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new RendermillError('invalid_request', { message: `--tiers: ${reasons.join('; ')}.` });
};
