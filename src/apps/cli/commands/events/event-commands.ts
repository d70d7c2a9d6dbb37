/** What the commands about events have in common. */
import type { Command } from 'commander';
import { RendermillError } from '../../../../core/errors.ts';
import { isUuid } from '../../../../core/ids.ts';
import { type EventSink, getSink } from '../../../../domain/deliveries/sinks.ts';
import { findEvents } from '../../../../domain/events/list-events.ts';
import type { LoggedEvent } from '../../../../domain/events/read-events.ts';
import type { Database } from '../../../../platform/db/client.ts';
import { requireLogOf } from '../../require-organization.ts';
import { openMigratedRecords, runTask } from '../../run-process.ts';
import type { Terminal } from '../../terminal.ts';

export interface EventCommands {
  readonly events: Command;
  readonly terminal: Terminal;
  /** Runs with the records open. */
  readonly withRecords: (task: (db: Database) => Promise<void>) => Promise<void>;
}

export const eventCommands = (events: Command, terminal: Terminal): EventCommands => ({
  events,
  terminal,
  withRecords: (task) => runTask(terminal, async (process) => task((await openMigratedRecords(process)).db)),
});

export const sinkOption = ['--sink <id>', 'as `events sinks` shows it'] as const;
export const organizationOption = ['--organization <id>', 'of this one only'] as const;
export const jsonOption = ['--json', 'print one object'] as const;

/** Throws `not_found` for a sink or an organization that there is not; what is absent is not looked for. */
export const assertThere = async (
  db: Database,
  { sink, organization }: { readonly sink?: string | undefined; readonly organization?: string | undefined },
): Promise<void> => {
  if (sink !== undefined) await findSink(db, sink);
  if (organization !== undefined) await requireLogOf(db, organization);
};

/** One that was removed is gone. */
export const findSink = async (db: Database, id: string): Promise<EventSink> => {
  const sink = await getSink(db, id);
  if (sink.status !== 'removed') return sink;
  throw new RendermillError('not_found', { message: `The sink "${id}" was removed.` });
};

/** Tenants give their events ids of their own, so that several may have the same. */
export const findEvent = async (
  db: Database,
  id: string,
  organization: string | undefined,
): Promise<LoggedEvent> => {
  if (organization !== undefined) await requireLogOf(db, organization);
  const where = organization === undefined ? '' : ` of organization "${organization}"`;
  const found = isUuid(id) ? await findEvents(db, id, organization) : [];
  const [event, ...others] = found;
  if (!event) {
    throw new RendermillError('not_found', { message: `There is no event "${id}"${where} in the log.` });
  }
  if (others.length > 0) {
    const owners = found.map((one) => one.organizationId).join(', ');
    throw new RendermillError('invalid_request', {
      message: `Several organizations have an event ${id}: ${owners}. Say whose: --organization <id>.`,
    });
  }
  return event;
};
