import { RendermillError } from '../../../../core/errors.ts';
import { retryDead } from '../../../../domain/deliveries/redrive.ts';
import {
  assertThere,
  type EventCommands,
  findEvent,
  jsonOption,
  organizationOption,
  sinkOption,
} from './event-commands.ts';

interface Options {
  readonly sink?: string;
  readonly organization?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

export const addRetryCommand = ({ events, terminal, withRecords }: EventCommands): void => {
  events
    .command('retry')
    .description('Tries dead deliveries again, with all their attempts before them')
    .argument('[id]', 'of this event only')
    .option(...sinkOption)
    .option(...organizationOption)
    .option('--all', 'of every sink')
    .option(...jsonOption)
    .action((id: string | undefined, options: Options) =>
      withRecords(async (db) => {
        assertNamed(id, options);
        const { sink, organization, json } = options;
        await assertThere(db, { sink, organization });
        const event = id === undefined ? undefined : await findEvent(db, id, organization);
        const filter = {
          sinkId: sink,
          organizationId: event?.organizationId ?? organization,
          eventId: event?.id,
        };
        const retried = await retryDead(db, filter, new Date());
        if (json) return terminal.print(JSON.stringify({ retried }));
        terminal.print(retried === 0 ? 'Nothing was dead.' : `Trying ${deliveries(retried)} again.`);
      }),
    );
};

const deliveries = (count: number): string => (count === 1 ? '1 delivery' : `${count} deliveries`);

const assertNamed = (id: string | undefined, { sink, all }: Options): void => {
  if (all ? id === undefined && sink === undefined : id !== undefined || sink !== undefined) return;
  throw new RendermillError('invalid_request', {
    message: all
      ? '--all stands alone, or with --organization: an id or --sink names less.'
      : 'Name an event, --sink <id>, or --all for everything that is dead.',
  });
};
