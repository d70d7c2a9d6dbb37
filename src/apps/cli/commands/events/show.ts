import { deliveriesOf, type ShownDelivery } from '../../../../domain/deliveries/read-deliveries.ts';
import type { LoggedEvent } from '../../../../domain/events/read-events.ts';
import { readEventConsent } from '../../../../domain/identity/read-event-consent.ts';
import type { LoggedAttempt } from '../../../../platform/db/schema-events.ts';
import { quoted, safeJson } from '../../quoted.ts';
import { type EventCommands, findEvent, jsonOption } from './event-commands.ts';

interface Options {
  readonly organization?: string;
  readonly json?: boolean;
}

export const addShowCommand = ({ events, terminal, withRecords }: EventCommands): void => {
  events
    .command('show')
    .description('An event whole, and every attempt to send it anywhere')
    .argument('<id>', 'of the event')
    .option('--organization <id>', 'whose, where several have an event of that id')
    .option(...jsonOption)
    .action((id: string, { organization, json }: Options) =>
      withRecords(async (db) => {
        const event = await findEvent(db, id, organization);
        const consent = await readEventConsent(db, event);
        const deliveries = await deliveriesOf(db, event.organizationId, event.id);
        terminal.print(
          json
            ? JSON.stringify({ ...event, consent, deliveries })
            : [...envelope(event), consentLine(consent), ...facts(event), ...journey(event, deliveries)].join(
                '\n',
              ),
        );
      }),
    );
};

const line = (name: string, value: string): string => `  ${name.padEnd(14)}${value}`;

const envelope = (event: LoggedEvent): string[] => {
  const { userId, distinctId, sessionId, entityType, entityId, correlationId } = event;
  const entity = entityId === null ? null : `${entityType}:${entityId}`;
  const optional: readonly (readonly [string, string | null])[] = [
    ['user', userId],
    ['visitor', distinctId],
    ['session', sessionId],
    ['entity', entity],
    ['correlation', correlationId],
  ];
  return [
    `${quoted(event.event)}  ${event.id}${event.isKnown ? '' : '  (nobody has defined it)'}`,
    line('organization', event.organizationId),
    line('happened', event.occurredAt.toISOString()),
    line('received', event.receivedAt.toISOString()),
    line('source', `${event.source}, ${event.environment}, schema version ${event.schemaVersion}`),
    ...optional.flatMap(([name, value]) => (value === null ? [] : [line(name, quoted(value))])),
  ];
};

const answer = (allowed: boolean | null): string =>
  allowed === null ? 'never asked' : allowed ? 'allowed' : 'refused';

const consentLine = (consent: { adsAllowed: boolean | null; analyticsAllowed: boolean | null }): string =>
  line('consent', `ads ${answer(consent.adsAllowed)}, analytics ${answer(consent.analyticsAllowed)}`);

const facts = ({ properties, derived, context }: LoggedEvent): string[] => {
  const shown: readonly (readonly [string, Record<string, unknown> | null])[] = [
    ['properties', properties],
    ['derived', derived],
    ['context', context],
  ];
  return shown
    .filter(([, values]) => values !== null && Object.keys(values).length > 0)
    .map(([name, values]) => `\n${name} ${safeJson(values, 2)}`);
};

const journey = ({ derived }: LoggedEvent, deliveries: readonly ShownDelivery[]): string[] => {
  if (deliveries.length > 0) return ['\ndeliveries', ...deliveries.flatMap(deliveryLines)];
  return [
    derived === null
      ? '\nThe dispatcher has not read it yet.'
      : '\nNo sink wanted it, or what is known is gone.',
  ];
};

const deliveryLines = (one: ShownDelivery): string[] => {
  const state = one.state === 'pending' ? `pending, next ${one.nextAt.toISOString()}` : one.state;
  const reason = one.reason === null ? '' : `: ${quoted(one.reason)}`;
  const sink = one.sinkId === one.sinkKind ? one.sinkId : `${one.sinkKind} ${one.sinkId}`;
  return [`  ${sink}  ${state}${reason}`, ...one.attemptLog.map(attemptLine)];
};

const shownCharacters = 200;

const attemptLine = ({ at, ms, status, outcome, error, response }: LoggedAttempt): string =>
  [
    `    ${at}`,
    `${Math.round(ms)} ms`,
    String(status ?? '-'),
    outcome,
    ...(error === undefined ? [] : [quoted(error)]),
    ...(response === undefined || response === ''
      ? []
      : [`answered ${safeJson(response.slice(0, shownCharacters))}`]),
  ].join('  ');
