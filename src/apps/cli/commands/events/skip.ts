import { RendermillError } from '../../../../core/errors.ts';
import { giveUp } from '../../../../domain/deliveries/give-up.ts';
import { assertThere, type EventCommands, findEvent, organizationOption } from './event-commands.ts';

interface Options {
  readonly sink: string;
  readonly organization?: string;
}

export const addSkipCommand = ({ events, terminal, withRecords }: EventCommands): void => {
  events
    .command('skip')
    .description('Gives up a delivery that waits, so that what waits behind it goes on')
    .argument('<id>', 'of the event')
    .requiredOption('--sink <id>', 'that will not take it')
    .option(...organizationOption)
    .action((id: string, { sink, organization }: Options) =>
      withRecords(async (db) => {
        await assertThere(db, { sink, organization });
        const event = await findEvent(db, id, organization);
        const delivery = { sinkId: sink, organizationId: event.organizationId, eventId: event.id };
        if (!(await giveUp(db, delivery, new Date()))) {
          throw new RendermillError('not_found', {
            message: `Nothing of event ${event.id} waits for the sink "${sink}"; events show ${event.id} tells what became of it.`,
          });
        }
        terminal.print('Given up; it is dead, and events retry tries it again.');
      }),
    );
};
