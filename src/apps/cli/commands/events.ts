import type { Command } from 'commander';
import { formatEventLine } from '../../event-line.ts';
import { tailEvents } from '../../tail-events.ts';
import { helpEnd } from '../help.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly sinceStart?: boolean;
  readonly organization?: string;
  readonly json?: boolean;
}

export const addEventsCommand = (program: Command, terminal: Terminal): void => {
  const events = program
    .command('events')
    .description('The event log: what happened, in the order in which it was committed')
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill events tail',
          'rendermill events tail --since-start --json | jq \'select(.event == "video_rendered")\'',
        ],
        ['DATABASE_URL', 'RENDERMILL_HOME'],
      ),
    );
  events
    .command('tail')
    .description('Prints the log as it grows, until Ctrl-C')
    .option('--since-start', 'from the first event on; else only what comes')
    .option('--organization <id>', 'of this one only')
    .option('--json', 'a JSON object per line, with every property')
    .action(({ sinceStart = false, organization, json }: Options) =>
      runTask(terminal, async (process) => {
        const { openListener } = await import('../../../platform/db/listener.ts');
        const { db, databaseUrl } = await openMigratedRecords(process);
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
