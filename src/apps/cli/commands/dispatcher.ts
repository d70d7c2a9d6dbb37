import type { Command } from 'commander';
import { helpEnd } from '../help.ts';
import { openMigratedRecords, runService, runTask } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';

const variables = [
  'DATABASE_URL',
  'RENDERMILL_HOME',
  'POSTHOG_PROJECT_API_KEY',
  'POSTHOG_HOST',
  'DOMAIN_EVENT_WEBHOOK_URL',
  'DOMAIN_EVENT_WEBHOOK_SECRET',
  'META_PIXEL_ID',
  'META_ACCESS_TOKEN',
  'EVENT_CONSOLE',
  'EVENT_FILE',
  'WEBHOOK_ALLOW_PRIVATE_ADDRESSES',
  'DISPATCHER_LEASE_SECONDS',
  'LOG_LEVEL',
] as const;

export const addDispatcherCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('dispatcher')
    .description('Delivers the event log to PostHog, webhooks and Meta; any number may run at once')
    .option('--once', 'delivers what is due now, and ends: for a scheduler')
    .addHelpText(
      'after',
      helpEnd(
        [
          'DATABASE_URL=postgres://… POSTHOG_PROJECT_API_KEY=phc_… rendermill dispatcher',
          'DOMAIN_EVENT_WEBHOOK_URL=https://example.com/hook rendermill dispatcher --once',
        ],
        variables,
      ),
    )
    .action(async ({ once = false }: { once?: boolean }) => {
      if (once) await runTask(terminal, (process) => dispatchOnce(process, terminal));
      else await runService(terminal, dispatch);
    });
};

type Process = Parameters<Parameters<typeof runService>[1]>[0];

const open = async (process: Process) => {
  const { openListener } = await import('../../../platform/db/listener.ts');
  const { systemClock } = await import('../../../platform/clock/clock.ts');
  const { openDispatcher } = await import('../../dispatcher/start-dispatcher.ts');
  const { db, databaseUrl } = await openMigratedRecords(process);
  const listener = await openListener(databaseUrl, process.log);
  process.lifecycle.onStop('database listener', () => listener.close());
  const resources = { ...process, db, listener, clock: systemClock };
  return { resources, dispatcher: await openDispatcher(resources) };
};

const dispatch = async (process: Process): Promise<void> => {
  const { startDispatcherMaintenance } = await import('../../dispatcher/maintenance.ts');
  const { activeSinks } = await import('../../../domain/deliveries/sinks.ts');
  const { resources, dispatcher } = await open(process);
  startDispatcherMaintenance(resources);
  dispatcher.start();
  const sinks = (await activeSinks(resources.db)).map(({ id, kind }) => (id === kind ? id : `${kind} ${id}`));
  process.log.info({ sinks }, 'the dispatcher delivers events');
};

const dispatchOnce = async (process: Process, terminal: Terminal): Promise<void> => {
  const { runDispatcherMaintenance } = await import('../../dispatcher/maintenance.ts');
  const { sinkFigures } = await import('../../../domain/deliveries/read-deliveries.ts');
  const { resources, dispatcher } = await open(process);
  const before = await sinkFigures(resources.db, resources.clock.now());
  await dispatcher.drain();
  await runDispatcherMaintenance(resources);
  for (const after of await sinkFigures(resources.db, resources.clock.now())) {
    const delivered = after.delivered - (before.find((one) => one.sinkId === after.sinkId)?.delivered ?? 0);
    terminal.print(
      `${after.sinkId}: ${delivered} delivered, ${after.pending} waiting, ${after.deadNow} given up`,
    );
  }
};
