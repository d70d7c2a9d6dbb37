import { type Command, Option } from 'commander';
import type { CampaignOrder } from '../../../client/campaign-types.ts';
import type { Client } from '../../../client/client.ts';
import { RendermillError } from '../../../core/errors.ts';
import { type RenderMode, renderModes } from '../../../core/exports.ts';
import { commandLineUser } from '../../command-line-user.ts';
import { formatPlan } from '../campaign-lines.ts';
import { ExitCode } from '../exit-code.ts';
import { addServiceOptions, openClient, type ServiceOptions } from '../find-service.ts';
import { followCampaign } from '../follow-campaign.ts';
import { helpEnd } from '../help.ts';
import { readJsonObject } from '../read-json.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends ServiceOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
  readonly retry?: string;
  readonly cancel?: string;
  readonly watch?: string;
  readonly user: string;
  readonly project: string;
  readonly renderMode?: RenderMode;
  readonly idempotencyKey?: string;
}

export const addCampaignCommand = (program: Command, terminal: Terminal): void => {
  const command = program
    .command('campaign')
    .description(
      'Renders variants × sizes through a running service and shows the progress; Ctrl-C cancels what is left',
    )
    .argument('[file]', 'the campaign as JSON: compositionId, format, sizes, variants …')
    .option('--dry-run', 'says what it would be, and why it would be refused; nothing is recorded')
    .option('--retry <id>', 'renders the cells of that campaign that failed again')
    .option('--cancel <id>', 'cancels what is left of that campaign')
    .option('--watch <id>', 'watches that campaign to its end')
    .option('--user <id>', 'whose usage this is, where the file does not say', commandLineUser)
    .option('--project <id>', 'where it belongs, where the file does not say', 'cli')
    .addOption(
      new Option(
        '--render-mode <mode>',
        'where the file does not say; default: as the service is set',
      ).choices(renderModes),
    )
    .option('--idempotency-key <key>', 'the same key within a day is the same campaign')
    .option('--json', 'a JSON object per line: accepted, status and progress, ended');
  addServiceOptions(command)
    .addHelpText(
      'after',
      `${helpEnd(
        [
          'rendermill campaign spring.json --dry-run',
          'rendermill campaign spring.json --user u-17 --project spring',
          'rendermill campaign --retry 019a…       what failed, once more',
          'rendermill campaign --cancel 019a…',
        ],
        ['RENDERMILL_URL', 'RENDERMILL_API_KEY', 'RENDERMILL_HOME'],
      )}

Exit code 1 where a cell has no file in the end, or a dry run says that it would be refused.`,
    )
    .action(async (file: string | undefined, options: Options) => {
      assertOne(file, options);
      const order = file === undefined ? undefined : await readOrder(file, options);
      const client = await openClient(options, terminal);
      if (order && options.dryRun) return plan(client, order, options, terminal);
      await followCampaign(client, await begin(client, order, options, terminal), options, terminal);
    });
};

const assertOne = (file: string | undefined, { retry, cancel, watch, dryRun }: Options): void => {
  const named = [file, retry, cancel, watch].filter((one) => one !== undefined).length;
  if (named === 1 && (file !== undefined || !dryRun)) return;
  throw new RendermillError('invalid_request', {
    message:
      named === 1
        ? '--dry-run needs a file.'
        : 'Name one of: a file, --retry <id>, --cancel <id>, --watch <id>.',
  });
};

/** What the file does not say is taken from the options; whether the rest is right, the service says. */
const readOrder = async (file: string, { user, project, renderMode }: Options): Promise<CampaignOrder> => {
  const order = (await readJsonObject('campaign', `@${file}`)) as unknown as CampaignOrder;
  return {
    ...(renderMode === undefined ? {} : { renderMode }),
    ...order,
    userId: order.userId ?? user,
    projectId: order.projectId ?? project,
  };
};

const plan = async (
  client: Client,
  order: CampaignOrder,
  { json }: Options,
  terminal: Terminal,
): Promise<void> => {
  const planned = await client.planCampaign(order);
  terminal.print(json ? JSON.stringify(planned) : formatPlan(planned));
  if (!planned.wouldBeAccepted) throw new ExitCode(1);
};

/** Returns the id of what is to be watched. */
const begin = async (
  client: Client,
  order: CampaignOrder | undefined,
  { retry, cancel, watch, json, idempotencyKey }: Options,
  terminal: Terminal,
): Promise<string> => {
  if (watch !== undefined) return watch;
  if (cancel !== undefined) return (await client.cancelCampaign(cancel)).id;
  const key = idempotencyKey === undefined ? {} : { idempotencyKey };
  const accepted = order
    ? await client.createCampaign(order, key)
    : await client.retryCampaign(retry ?? '', key);
  if (json) terminal.print(JSON.stringify({ type: 'accepted', ...accepted }));
  else terminal.note(`Accepted ${accepted.id}, run ${accepted.run}: ${accepted.cells} cell(s).`);
  return accepted.id;
};
