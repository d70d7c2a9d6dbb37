import type { Command } from 'commander';
import { formatEventLine } from '../../event-line.ts';
import { tailEvents } from '../../tail-events.ts';
import { helpEnd } from '../help.ts';
import { requireLogOf } from '../require-organization.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';
import { addDeliveryCommands } from './events/deliveries.ts';
import { eventCommands } from './events/event-commands.ts';
import { addListCommand } from './events/list.ts';
import { addReplayCommand } from './events/replay.ts';
import { addRetryCommand } from './events/retry.ts';
import { addShowCommand } from './events/show.ts';
import { addSinksCommand } from './events/sinks.ts';
import { addSkipCommand } from './events/skip.ts';
import { addUndefineCommand } from './events/undefine.ts';

interface TailOptions {
  readonly sinceStart?: boolean;
  readonly organization?: string;
  readonly json?: boolean;
}

export const addEventsCommand = (program: Command, terminal: Terminal): void => {
  const events = program
    .command('events')
    .description('The event log: what happened, where it was sent, and what became of it there')
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill events tail',
          'rendermill events tail --since-start --json | jq \'select(.event == "video_rendered")\'',
          "rendermill events list --organization _installation   warnings of the operator's own endpoint",
          'rendermill events show 019a…',
          'rendermill events sinks',
          'rendermill events dead --sink webhook',
          'rendermill events retry --sink webhook',
          'rendermill events replay --sink posthog --from 2d --to 1d --yes',
        ],
        ['DATABASE_URL', 'RENDERMILL_HOME'],
      ),
    );
  addTailCommand(events, terminal);
  const commands = eventCommands(events, terminal);
  addListCommand(commands);
  addShowCommand(commands);
  addSinksCommand(commands);
  addDeliveryCommands(commands);
  addRetryCommand(commands);
  addSkipCommand(commands);
  addReplayCommand(commands);
  addUndefineCommand(commands);
};

const addTailCommand = (events: Command, terminal: Terminal): void => {
  events
    .command('tail')
    .description('Prints the log as it grows, until Ctrl-C')
    .option('--since-start', 'from the first event on; else only what comes')
    .option('--organization <id>', 'of this one only')
    .option('--json', 'a JSON object per line, with every property')
    .action(({ sinceStart = false, organization, json }: TailOptions) =>
      runTask(terminal, async (process) => {
        const { openListener } = await import('../../../platform/db/listener.ts');
        const { db, databaseUrl } = await openMigratedRecords(process);
        if (organization !== undefined) await requireLogOf(db, organization);
        const listener = await openListener(databaseUrl, process.log);
        process.lifecycle.onStop('database listener', () => listener.close());
        const tail = await tailEvents(
          { db, listener, log: process.log },
          {
            sinceStart,
            organizationId: organization,
            print: (event) => terminal.print(json ? JSON.stringify(event) : formatEventLine(event)),
          },
        );
        process.lifecycle.onStop('tail', () => tail.stop());
        await aborted(process.lifecycle.stopping);
      }),
    );
};

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
