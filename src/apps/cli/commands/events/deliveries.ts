import { listDeliveries, type ShownDelivery } from '../../../../domain/deliveries/read-deliveries.ts';
import { positiveInteger } from '../../options.ts';
import { quoted } from '../../quoted.ts';
import { formatTable } from '../../table.ts';
import {
  assertThere,
  type EventCommands,
  jsonOption,
  organizationOption,
  sinkOption,
} from './event-commands.ts';

interface Options {
  readonly sink?: string;
  readonly organization?: string;
  readonly limit: number;
  readonly json?: boolean;
}

const whatOf = {
  pending: 'Deliveries that wait, or are on their way',
  dead: 'Deliveries that were given up, and why; `events retry` tries them again',
} as const;

/** `events pending` and `events dead`, in the order of the log. */
export const addDeliveryCommands = (commands: EventCommands): void => {
  addCommand(commands, 'pending');
  addCommand(commands, 'dead');
};

const addCommand = ({ events, terminal, withRecords }: EventCommands, state: 'pending' | 'dead'): void => {
  events
    .command(state)
    .description(whatOf[state])
    .option(...sinkOption)
    .option(...organizationOption)
    .option('--limit <count>', 'at most so many', positiveInteger, 50)
    .option(...jsonOption)
    .action(({ sink, organization, limit, json }: Options) =>
      withRecords(async (db) => {
        await assertThere(db, { sink, organization });
        const found = await listDeliveries(db, {
          state,
          sinkId: sink,
          organizationId: organization,
          limit: limit + 1,
        });
        const deliveries = found.slice(0, limit);
        if (json) return terminal.print(JSON.stringify({ deliveries }));
        if (deliveries.length === 0) return terminal.print(`Nothing is ${state}.`);
        terminal.print(formatTable(deliveries.map(rowOf)));
        if (found.length > limit) terminal.note('There are more: see --limit.');
      }),
    );
};

const rowOf = (one: ShownDelivery): Record<string, string> => ({
  id: one.eventId,
  event: quoted(one.event),
  organization: one.organizationId,
  sink: one.sinkId,
  attempts: String(one.attempts),
  ...(one.state === 'pending'
    ? { next: one.nextAt.toISOString() }
    : { since: one.endedAt?.toISOString() ?? '-' }),
  reason: reasonOf(one),
});

/** Of one that waits: why its last attempt failed. */
const reasonOf = ({ reason, attempts, attemptLog }: ShownDelivery): string => {
  const last = attempts > 0 ? attemptLog.at(-1)?.error : undefined;
  const text = reason ?? last;
  return text === undefined ? '-' : quoted(text);
};
