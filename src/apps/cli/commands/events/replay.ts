import { RendermillError } from '../../../../core/errors.ts';
import { countReplay, replay } from '../../../../domain/deliveries/redrive.ts';
import { ExitCode } from '../../exit-code.ts';
import { pastTime } from '../../past-time.ts';
import {
  assertThere,
  type EventCommands,
  jsonOption,
  organizationOption,
  sinkOption,
} from './event-commands.ts';

interface Options {
  readonly sink: string;
  readonly from: Date;
  readonly to?: Date;
  readonly organization?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const addReplayCommand = ({ events, terminal, withRecords }: EventCommands): void => {
  const time = (text: string) => pastTime(text, new Date());
  events
    .command('replay')
    .description(
      'Sends what was received in a time to a sink again, with the same ids; also what is older than the sink',
    )
    .requiredOption(...sinkOption)
    .requiredOption('--from <time>', 'received then or later: a time, a day, or such as 2h (ago)', time)
    .option('--to <time>', 'received before; absent: now', time)
    .option(...organizationOption)
    .option('--yes', 'do it; else it only says how many events that would be, and exits with 1')
    .option(...jsonOption)
    .action(({ sink, from, to, organization, yes, json }: Options) =>
      withRecords(async (db) => {
        const now = new Date();
        const until = to ?? now;
        assertOrder(from, until);
        await assertThere(db, { sink, organization });
        const range = { sinkId: sink, from, until, organizationId: organization };
        const count = await countReplay(db, range);
        const made = yes ? await replay(db, range, now) : 0;
        if (json) terminal.print(JSON.stringify({ events: count, made }));
        else
          terminal.print(
            yes ? done(made, count) : `${eventsOf(count)} would be sent to ${sink} again: add --yes.`,
          );
        if (!yes) throw new ExitCode(1);
      }),
    );
};

const eventsOf = (count: number): string => (count === 1 ? '1 event' : `${count} events`);

const done = (made: number, count: number): string =>
  made < count
    ? `Sending ${made} of ${eventsOf(count)} again; the others are on their way already.`
    : `Sending ${eventsOf(made)} again.`;

const assertOrder = (from: Date, until: Date): void => {
  if (from < until) return;
  throw new RendermillError('invalid_request', {
    message: `The time is empty: --from ${from.toISOString()} must lie before --to ${until.toISOString()}.`,
  });
};
