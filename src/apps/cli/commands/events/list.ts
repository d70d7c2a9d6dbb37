import { resolveEventName } from '../../../../core/events/catalog.ts';
import { didYouMean } from '../../../../core/events/similar-names.ts';
import { installationLog } from '../../../../domain/deliveries/endpoint-events.ts';
import { findUnknownNames } from '../../../../domain/events/known-names.ts';
import { listEvents } from '../../../../domain/events/list-events.ts';
import type { Database } from '../../../../platform/db/client.ts';
import { formatEventLine } from '../../../event-line.ts';
import { positiveInteger } from '../../options.ts';
import { pastTime } from '../../past-time.ts';
import { quoted } from '../../quoted.ts';
import { requireLogOf } from '../../require-organization.ts';
import type { Terminal } from '../../terminal.ts';
import { type EventCommands, jsonOption } from './event-commands.ts';

interface Options {
  readonly organization: string;
  readonly name?: string;
  readonly user?: string;
  readonly entity?: string;
  readonly from?: Date;
  readonly to?: Date;
  readonly limit: number;
  readonly json?: boolean;
}

export const addListCommand = ({ events, terminal, withRecords }: EventCommands): void => {
  const time = (text: string) => pastTime(text, new Date());
  events
    .command('list')
    .description('Events of an organization by when they happened, the oldest first')
    .requiredOption(
      '--organization <id>',
      `whose; ${installationLog}: warnings of the operator's own endpoint`,
    )
    .option('--name <name>', 'of this name only')
    .option('--user <id>', 'of this user only')
    .option('--entity <id>', 'what happened to this export, batch …')
    .option('--from <time>', 'happened then or later: a time, a day, or such as 2h (ago)', time)
    .option('--to <time>', 'happened before', time)
    .option('--limit <count>', 'at most so many', positiveInteger, 50)
    .option(...jsonOption)
    .action((options: Options) =>
      withRecords(async (db) => {
        const { organization, name, user: userId, entity: entityId, from, to: until, limit, json } = options;
        await requireLogOf(db, organization);
        const filter = { name, userId, entityId, from, until };
        const page = await listEvents(db, organization, filter, { limit });
        if (page.events.length === 0) {
          if (name === undefined) terminal.note('No events.');
          else await hint(db, terminal, organization, name);
        }
        if (json) return terminal.print(JSON.stringify({ events: page.events }));
        for (const event of page.events) terminal.print(formatEventLine(event));
        if (page.nextCursor !== null) terminal.note('There are more: see --limit and --from.');
      }),
    );
};

/** A name by which nothing can be found is most likely a mistake. */
const hint = async (db: Database, terminal: Terminal, organization: string, name: string): Promise<void> => {
  const canonical = resolveEventName(name);
  if (canonical !== undefined && canonical !== name)
    return terminal.note(`${quoted(name)} is recorded as ${canonical}: --name ${canonical}.`);
  const [unknown] = await findUnknownNames(db, organization, [name]);
  if (unknown?.isBeginning === true || name.endsWith('*'))
    return terminal.note(`--name takes a whole name, without a star.${didYouMean(unknown?.similar ?? [])}`);
  if (unknown)
    terminal.note(
      `${quoted(name)} is no event of the catalog, and none that ${organization} has defined or sent so far.${didYouMean(unknown.similar.map(quoted))}`,
    );
};
