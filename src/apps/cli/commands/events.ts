import type { Command } from 'commander';
import type { LoggedEvent } from '../../../domain/events/read-events.ts';
import { helpEnd } from '../help.ts';
import { openMigratedRecords, runTask } from '../run-process.ts';
import { tailEvents } from '../tail-events.ts';
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

const shown = [
  'compositionId',
  'kind',
  'format',
  'width',
  'height',
  'sizeInBytes',
  'duration',
  'attempt',
  'fileCount',
  'error_code',
  'failure_reason',
] as const;

/** Time, organization, event, user, entity, and what a person would ask next. */
export const formatEventLine = (event: LoggedEvent): string => {
  const facts = shown
    .filter((name) => event.properties[name] !== undefined)
    .map((name) => `${name}=${oneWord(event.properties[name])}`);
  const entity = event.entityId === null ? '-' : `${event.entityType}:${event.entityId}`;
  const columns = [
    event.occurredAt.toISOString(),
    event.organizationId,
    event.event.padEnd(22),
    event.userId ?? '-',
    entity,
  ];
  return [...columns, ...facts].join('  ');
};

/** A reason may hold line breaks and control characters of whoever wrote it; a line of the log is one line. */
const oneWord = (value: unknown): string => {
  const text = String(value);
  return /^[\x21-\x7e]+$/.test(text) ? text : JSON.stringify(text);
};
