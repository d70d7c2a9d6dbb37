import type { Command } from 'commander';
import { RendermillError } from '../../../core/errors.ts';
import { getSink } from '../../../domain/deliveries/sinks.ts';
import { getWebhook, listWebhooks, removeWebhook } from '../../../domain/deliveries/webhook-endpoints.ts';
import { registerWebhook } from '../../../features/delivery/webhooks/keep-webhook.ts';
import {
  sendTest,
  type TestOutcome,
  type TestSender,
} from '../../../features/delivery/webhooks/send-test.ts';
import { rotateSecret, showSecret, showWebhook } from '../../../features/delivery/webhooks/show-webhook.ts';
import { systemClock } from '../../../platform/clock/clock.ts';
import { ExitCode } from '../exit-code.ts';
import { helpEnd } from '../help.ts';
import { notNegative } from '../options.ts';
import { requireOrganization } from '../require-organization.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly organization: string;
  readonly json?: boolean;
}

interface AddOptions extends Options {
  readonly events?: string;
  readonly description: string;
}

interface RotateOptions extends Options {
  readonly overlapHours: number;
}

interface SecretOptions {
  readonly organization?: string;
  readonly json?: boolean;
}

/** The endpoint of DOMAIN_EVENT_WEBHOOK_URL, which belongs to no organization. */
const ownSink = 'webhook';

export const addWebhooksCommand = (program: Command, terminal: Terminal): void => {
  const webhooks = program
    .command('webhooks')
    .description('Endpoints that get the events of an organization')
    .addHelpText(
      'after',
      helpEnd(
        [
          "rendermill webhooks add https://hooks.example.com/in --organization acme --events 'batch_*,video_rendered'",
          'rendermill webhooks list --organization acme',
          'rendermill webhooks test 019a… --organization acme',
          'rendermill webhooks secret webhook        the one of DOMAIN_EVENT_WEBHOOK_URL',
        ],
        ['DATABASE_URL', 'RENDERMILL_HOME', 'WEBHOOK_ALLOW_PRIVATE_ADDRESSES'],
      ),
    );
  const withRecords = (task: (deps: TestSender) => Promise<void>) =>
    runTask(terminal, async (process) => {
      const { db } = await openMigratedRecords(process);
      await task({ db, clock: systemClock, allowPrivate: process.config.WEBHOOK_ALLOW_PRIVATE_ADDRESSES });
    });
  const command = (usage: string, description: string): Command =>
    webhooks.command(usage).description(description).option('--json', 'print one object');
  const ofOrganization = (usage: string, description: string): Command =>
    command(usage, description).requiredOption('--organization <id>', 'whose');

  ofOrganization('list', 'The endpoints, with how they are').action((options: Options) =>
    withRecords((deps) => list(deps, options, terminal)),
  );
  ofOrganization('add <url>', 'Adds an endpoint, which gets what happens from now on, and shows its secret')
    .option('--events <names>', 'comma-separated; batch_* for all that begin so; absent: all')
    .option('--description <text>', 'what it is for', '')
    .action((url: string, options: AddOptions) => withRecords((deps) => add(deps, url, options, terminal)));
  ofOrganization('remove <id>', 'Removes an endpoint; what waits for it is not sent any more').action(
    (id: string, options: Options) => withRecords((deps) => remove(deps, id, options, terminal)),
  );
  ofOrganization('rotate <id>', 'Makes a new secret; the older ones sign beside it for a while')
    .option('--overlap-hours <hours>', 'for how long; 0 ends them at once', notNegative, 24)
    .action((id: string, options: RotateOptions) =>
      withRecords((deps) => rotate(deps, id, options, terminal)),
    );
  ofOrganization('test <id>', 'Sends a message of type webhook_test now').action(
    (id: string, options: Options) => withRecords((deps) => test(deps, id, options, terminal)),
  );
  command('secret <id>', 'Shows the secret that signs; the id "webhook" is the one of the environment')
    .option('--organization <id>', 'whose')
    .action((id: string, options: SecretOptions) =>
      withRecords((deps) => secret(deps, id, options, terminal)),
    );
};

const list = async ({ db }: TestSender, { organization, json }: Options, terminal: Terminal) => {
  await requireOrganization(db, organization);
  const found = await listWebhooks(db, organization);
  const webhooks = await Promise.all(found.map((endpoint) => showWebhook(db, endpoint)));
  if (json) return terminal.print(JSON.stringify({ webhooks }));
  if (webhooks.length === 0) return terminal.print(`Organization "${organization}" has no webhooks.`);
  const rows = webhooks.map(({ id, url, eventNames, status, pending, dead, failingSince }) => ({
    id,
    url,
    events: eventNames?.join(',') ?? 'all',
    status,
    pending: String(pending),
    dead: String(dead),
    failingSince: failingSince ?? '-',
  }));
  terminal.print(formatTable(rows));
};

const add = async (
  deps: TestSender,
  url: string,
  { organization, events, description, json }: AddOptions,
  terminal: Terminal,
) => {
  await requireOrganization(deps.db, organization);
  const names = events?.split(',').map((name) => name.trim());
  const eventNames = names?.filter((name) => name !== '') ?? null;
  if (eventNames?.length === 0)
    throw new RendermillError('invalid_request', {
      message: '--events names no event; leave it out for all.',
    });
  const asked = { url, description, eventNames, ratePerSecond: null };
  const added = await registerWebhook(deps, organization, asked, deps.clock.now());
  const { id } = added.endpoint;
  if (json)
    return terminal.print(
      JSON.stringify({ ...(await showWebhook(deps.db, added.endpoint)), secret: added.secret }),
    );
  terminal.print(
    `${added.secret}\n\nThe secret of the new webhook ${id}. Its receiver verifies signatures with it.`,
  );
};

const remove = async (
  { db, clock }: TestSender,
  id: string,
  { organization, json }: Options,
  terminal: Terminal,
) => {
  const webhook = { organizationId: organization, id };
  await db.transaction().execute((tx) => removeWebhook(tx, webhook, clock.now()));
  terminal.print(json ? JSON.stringify({ id, removed: true }) : `Removed ${id}.`);
};

const rotate = async (
  { db, clock }: TestSender,
  id: string,
  { organization, overlapHours, json }: RotateOptions,
  terminal: Terminal,
) => {
  const endpoint = await getWebhook(db, { organizationId: organization, id });
  const shown = await rotateSecret(db, endpoint.id, overlapHours, clock.now());
  printSecret(shown, json, terminal);
};

const secret = async (
  { db, clock }: TestSender,
  id: string,
  { organization, json }: SecretOptions,
  terminal: Terminal,
) => {
  if (organization === undefined && id !== ownSink)
    throw new RendermillError('invalid_request', {
      message: `Say whose webhook ${id} is: --organization <id>.`,
    });
  const sink =
    organization === undefined
      ? await getSink(db, ownSink)
      : await getWebhook(db, { organizationId: organization, id });
  printSecret(await showSecret(db, sink.id, clock.now()), json, terminal);
};

const printSecret = (
  shown: Awaited<ReturnType<typeof showSecret>>,
  json: boolean | undefined,
  terminal: Terminal,
) => {
  if (json) return terminal.print(JSON.stringify(shown));
  terminal.print(shown.secret);
  if (shown.olderSignUntil !== null)
    terminal.note(`Older secrets sign beside it until ${shown.olderSignUntil}.`);
};

const test = async (deps: TestSender, id: string, { organization, json }: Options, terminal: Terminal) => {
  const endpoint = await getWebhook(deps.db, { organizationId: organization, id });
  const outcome = await sendTest(deps, organization, endpoint, new AbortController().signal);
  terminal.print(json ? JSON.stringify(outcome) : outcomeLine(outcome));
  if (!outcome.delivered) throw new ExitCode(1);
};

/** The answer is a stranger's text: quoted, so that it cannot speak to the terminal. */
const outcomeLine = ({ delivered, error, durationMs, response }: TestOutcome): string =>
  [
    delivered ? `Delivered in ${durationMs} ms.` : `${error ?? 'Not delivered.'} (${durationMs} ms)`,
    ...(response ? [`It answered ${JSON.stringify(response)}`] : []),
  ].join('\n');
