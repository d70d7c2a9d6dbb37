import { deleteDefinition } from '../../../../domain/events/event-definitions.ts';
import { requireOrganization } from '../../require-organization.ts';
import { type EventCommands, jsonOption } from './event-commands.ts';

interface Options {
  readonly organization: string;
  readonly json?: boolean;
}

export const addUndefineCommand = ({ events, terminal, withRecords }: EventCommands): void => {
  events
    .command('undefine')
    .description('Deletes an event that an organization has defined; what the log has of it stays')
    .argument('<name>', 'of the event')
    .requiredOption('--organization <id>', 'whose')
    .option(...jsonOption)
    .action((name: string, { organization, json }: Options) =>
      withRecords(async (db) => {
        await requireOrganization(db, organization);
        const versions = await db.transaction().execute((tx) => deleteDefinition(tx, organization, name));
        if (json) return terminal.print(JSON.stringify({ name, versions }));
        terminal.print(
          `Deleted ${name} with ${versions === 1 ? 'its version' : `its ${versions} versions`}. What comes under this name is unknown now.`,
        );
      }),
    );
};
