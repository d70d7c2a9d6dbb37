import { type Command, Option } from 'commander';
import { modesOf, usableModes } from '../../../core/choose-render-mode.ts';
import { RendermillError } from '../../../core/errors.ts';
import { type RenderMode, renderModes } from '../../../core/exports.ts';
import { type TierOverrides, tierOverridesSchema } from '../../../core/tiers.ts';
import {
  changeOrganization,
  decideRenderMode,
  ensureOrganization,
  listOrganizations,
  type Organization,
} from '../../../domain/accounts/organizations.ts';
import type { Config } from '../../../platform/config/config.ts';
import { installedModes } from '../../installed-modes.ts';
import { helpEnd } from '../help.ts';
import { readJsonObject } from '../read-json.ts';
import { requireOrganization } from '../require-organization.ts';
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
    .description(
      'The tenants: their names, time zones, tiers, where they may render, and what they do with unknown events',
    )
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill organizations set acme --name "Acme Ltd" --time-zone Europe/Berlin',
          `rendermill organizations set acme --tiers '{"free":{"dailyExports":5,"concurrentRenders":2,"retentionDays":7}}'`,
          'rendermill organizations set acme --unknown-events refuse',
          'rendermill organizations allow acme --render-mode lambda',
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
  addDecision(organizations, terminal, {
    name: 'allow',
    description: 'Let one render in a mode that it may not ask for by itself',
    allowed: true,
  });
  addDecision(organizations, terminal, {
    name: 'forbid',
    description: 'Take a mode away; what was accepted before is still rendered in it',
    allowed: false,
  });
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

/** Where nothing was decided, an organization may render on the workers, and in the installation's RENDER_MODE. */
const addDecision = (
  organizations: Command,
  terminal: Terminal,
  given: { readonly name: string; readonly description: string; readonly allowed: boolean },
): void => {
  organizations
    .command(`${given.name} <id>`)
    .description(given.description)
    .addOption(new Option('--render-mode <mode>', 'which').choices(renderModes).makeOptionMandatory())
    .option('--json', 'print one object')
    .action((id: string, options: { renderMode: RenderMode; json?: boolean }) =>
      runTask(terminal, async (process) => {
        const { db } = await openMigratedRecords(process);
        await requireOrganization(db, id);
        const changed = await db
          .transaction()
          .execute((tx) => decideRenderMode(tx, id, options.renderMode, given.allowed));
        print(terminal, [changed], options.json ? JSON.stringify(present(changed)) : undefined);
        noteNowhere(terminal, changed, process.config);
      }),
    );
};

/** A person should know at once that every request will be refused, not from the tenant. */
const noteNowhere = (terminal: Terminal, { id, render_modes }: Organization, config: Config): void => {
  const modes = modesOf(id, installedModes(config), render_modes);
  if (usableModes(modes).length > 0) return;
  const why =
    modes.allowed.length === 0
      ? 'it may use no mode'
      : `it may use ${modes.allowed.join(' and ')} only, and LAMBDA_FUNCTION is not set here`;
  terminal.note(
    `"${id}" can render nowhere now: ${why}. Each of its requests will be refused. Allow it the workers with: rendermill organizations allow ${id} --render-mode local`,
  );
};

const present = (one: Organization) => ({
  id: one.id,
  name: one.name,
  timeZone: one.time_zone,
  tiers: one.tier_overrides,
  renderModes: one.render_modes,
  unknownEvents: one.unknown_events,
});

const print = (terminal: Terminal, found: readonly Organization[], json: string | undefined): void =>
  terminal.print(
    json ??
      formatTable(
        found.map((one) => ({
          ...present(one),
          tiers: JSON.stringify(one.tier_overrides),
          renderModes: decisionsOf(one),
        })),
      ),
  );

/** `lambda`, or `not lambda`; empty where nothing was decided. */
const decisionsOf = ({ render_modes }: Organization): string =>
  Object.entries(render_modes)
    .map(([mode, allowed]) => (allowed ? mode : `not ${mode}`))
    .join(', ');

const readTiers = async (text: string): Promise<TierOverrides> => {
  const parsed = tierOverridesSchema.safeParse(await readJsonObject('--tiers', text));
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new RendermillError('invalid_request', { message: `--tiers: ${reasons.join('; ')}.` });
};
