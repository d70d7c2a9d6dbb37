import type { Command } from 'commander';
import { RendermillError } from '../../../core/errors.ts';
import { encryptSecrets } from '../../../domain/deliveries/encrypt-secrets.ts';
import { installationLog } from '../../../domain/deliveries/endpoint-events.ts';
import { listWebhooks, removeWebhook } from '../../../domain/deliveries/webhook-endpoints.ts';
import { registerWebhook } from '../../../features/delivery/webhooks/keep-webhook.ts';
import {
  sendTest,
  type TestOutcome,
  type TestSender,
} from '../../../features/delivery/webhooks/send-test.ts';
import {
  rotateSecret,
  showChecked,
  showListed,
  showSecret,
} from '../../../features/delivery/webhooks/show-webhook.ts';
import { systemClock } from '../../../platform/clock/clock.ts';
import type { Logger } from '../../../platform/log/log.ts';
import { secretBoxOf } from '../../secret-box-of.ts';
import { ExitCode } from '../exit-code.ts';
import { helpEnd } from '../help.ts';
import { notNegative } from '../options.ts';
import { requireOrganization } from '../require-organization.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import { formatTable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { type EnableOptions, enable } from './webhooks/enable.ts';
import { findEndpoint } from './webhooks/find-endpoint.ts';

interface Options {
  readonly organization: string;
  readonly json?: boolean;
}

interface AddOptions extends Options {
  readonly events?: string;
  readonly description: string;
}

/** Of one that may be the installation's own. */
interface OneOptions {
  readonly organization?: string;
  readonly json?: boolean;
}

interface RotateOptions extends OneOptions {
  readonly overlapHours: number;
}

interface Deps extends TestSender {
  /** DOMAIN_EVENT_WEBHOOK_URL. */
  readonly ownUrl: string | undefined;
  readonly log: Logger;
}

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
          'rendermill webhooks enable 019a… --organization acme --replay',
          'rendermill webhooks test webhook          the one of DOMAIN_EVENT_WEBHOOK_URL; so do secret, rotate, enable',
          'rendermill webhooks encrypt-secrets       with SECRETS_KEY',
        ],
        [
          'DATABASE_URL',
          'RENDERMILL_HOME',
          'DOMAIN_EVENT_WEBHOOK_URL',
          'WEBHOOK_ALLOW_PRIVATE_ADDRESSES',
          'SECRETS_KEY',
          'SECRETS_KEY_OLD',
        ],
      ),
    );
  const withRecords = (task: (deps: Deps) => Promise<void>) =>
    runTask(terminal, async (process) => {
      const { db } = await openMigratedRecords(process);
      const { config, log } = process;
      await task({
        db,
        log,
        clock: systemClock,
        allowPrivate: config.WEBHOOK_ALLOW_PRIVATE_ADDRESSES,
        secretBox: secretBoxOf(config),
        ownUrl: config.DOMAIN_EVENT_WEBHOOK_URL,
      });
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
  const ofOne = (usage: string, description: string): Command =>
    command(usage, description).option(
      '--organization <id>',
      'whose; absent, with the id "webhook": the one of the environment',
    );

  ofOne('rotate <id>', 'Makes a new secret; the older ones sign beside it for a while')
    .option('--overlap-hours <hours>', 'for how long; 0 ends them at once', notNegative, 24)
    .action((id: string, options: RotateOptions) =>
      withRecords((deps) => rotate(deps, id, options, terminal)),
    );
  ofOne('test <id>', 'Sends a message of type webhook_test now').action((id: string, options: OneOptions) =>
    withRecords((deps) => test(deps, id, options, terminal)),
  );
  ofOne('enable <id>', 'Sends again to one that was disabled, what waited for it first')
    .option('--replay', 'also what it missed meanwhile, and what was given up since it failed')
    .action((id: string, options: EnableOptions) =>
      withRecords((deps) => enable(deps, id, options, terminal)),
    );
  ofOne('secret <id>', 'Shows the secret that signs').action((id: string, options: OneOptions) =>
    withRecords((deps) => secret(deps, id, options, terminal)),
  );
  command('encrypt-secrets', 'Encrypts all secrets with SECRETS_KEY, also those of SECRETS_KEY_OLD').action(
    ({ json }: { readonly json?: boolean }) => withRecords((deps) => encrypt(deps, json, terminal)),
  );
};

const list = async ({ db }: TestSender, { organization, json }: Options, terminal: Terminal) => {
  await requireOrganization(db, organization);
  const found = await listWebhooks(db, organization);
  const webhooks = await Promise.all(found.map((endpoint) => showListed(db, endpoint)));
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
  const shown = await showChecked(deps.db, added);
  for (const one of shown.warnings) terminal.note(one);
  if (json) return terminal.print(JSON.stringify({ ...shown, secret: added.secret }));
  terminal.print(
    `${added.secret}\n\nThe secret of the new webhook ${id}. Its receiver verifies signatures with it.`,
  );
};

const remove = async (
  { db, log, clock }: Deps,
  id: string,
  { organization, json }: Options,
  terminal: Terminal,
) => {
  const webhook = { organizationId: organization, id };
  await removeWebhook({ db, log }, webhook, clock.now());
  terminal.print(json ? JSON.stringify({ id, removed: true }) : `Removed ${id}.`);
};

const rotate = async (
  { db, clock, secretBox }: TestSender,
  id: string,
  { organization, overlapHours, json }: RotateOptions,
  terminal: Terminal,
) => {
  const endpoint = await findEndpoint(db, id, organization);
  const shown = await rotateSecret(db, secretBox, endpoint.id, overlapHours, clock.now());
  printSecret(shown, json, terminal);
};

const secret = async (
  { db, clock, secretBox }: TestSender,
  id: string,
  { organization, json }: OneOptions,
  terminal: Terminal,
) => {
  const sink = await findEndpoint(db, id, organization);
  printSecret(await showSecret(db, secretBox, sink.id, clock.now()), json, terminal);
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

const encrypt = async (
  { db, clock, secretBox }: TestSender,
  json: boolean | undefined,
  terminal: Terminal,
) => {
  const encrypted = await encryptSecrets(db, secretBox, clock.now());
  if (json) return terminal.print(JSON.stringify({ encrypted, keyId: secretBox.keyId }));
  const secrets = encrypted === 1 ? '1 secret' : `${encrypted} secrets`;
  terminal.print(`Encrypted ${secrets}; all of them lie under the key ${secretBox.keyId} now.`);
};

const requireUrl = (url: string | null | undefined): string => {
  if (url) return url;
  throw new RendermillError('invalid_configuration', {
    message: 'DOMAIN_EVENT_WEBHOOK_URL is not set here: set it as the dispatcher has it.',
  });
};

const test = async (deps: Deps, id: string, { organization, json }: OneOptions, terminal: Terminal) => {
  const endpoint = await findEndpoint(deps.db, id, organization);
  const outcome = await sendTest(
    // The operator's own may lie anywhere.
    { ...deps, allowPrivate: deps.allowPrivate || organization === undefined },
    {
      organizationId: organization ?? installationLog,
      id: endpoint.id,
      url: requireUrl(organization === undefined ? deps.ownUrl : endpoint.url),
    },
    new AbortController().signal,
  );
  terminal.print(json ? JSON.stringify(outcome) : outcomeLine(outcome));
  if (!outcome.delivered) throw new ExitCode(1);
};

/** The answer is a stranger's text: quoted, so that it cannot speak to the terminal. */
const outcomeLine = ({ delivered, error, durationMs, response }: TestOutcome): string =>
  [
    delivered ? `Delivered in ${durationMs} ms.` : `${error ?? 'Not delivered.'} (${durationMs} ms)`,
    ...(response ? [`It answered ${JSON.stringify(response)}`] : []),
  ].join('\n');
