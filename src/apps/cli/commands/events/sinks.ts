import { breakerState } from '../../../../core/delivery/breaker.ts';
import { type SinkFigures, sinkFigures } from '../../../../domain/deliveries/read-deliveries.ts';
import { quoted } from '../../quoted.ts';
import { formatTable } from '../../table.ts';
import { type EventCommands, jsonOption } from './event-commands.ts';

export const addSinksCommand = ({ events, terminal, withRecords }: EventCommands): void => {
  events
    .command('sinks')
    .description('Where events go: how each sink is, what waits for it, and what became of the rest')
    .option(...jsonOption)
    .action(({ json }: { readonly json?: boolean }) =>
      withRecords(async (db) => {
        const now = new Date();
        const figures = await sinkFigures(db, now);
        if (json) {
          const sinks = figures.map((one) => ({ ...one, breaker: breakerState(one, now) }));
          return terminal.print(JSON.stringify({ sinks }));
        }
        if (figures.length === 0) {
          return terminal.print(
            'There are no sinks: set POSTHOG_PROJECT_API_KEY, DOMAIN_EVENT_WEBHOOK_URL …, or run rendermill webhooks add.',
          );
        }
        terminal.print(formatTable(figures.map((one) => rowOf(one, now))));
        for (const one of figures) for (const hint of hintsOf(one)) terminal.note(hint);
      }),
    );
};

const rowOf = (one: SinkFigures, now: Date): Record<string, string> => ({
  sink: one.sinkId,
  kind: one.kind,
  organization: one.organizationId ?? 'all',
  status: one.status,
  breaker: breakerOf(one, now),
  pending: String(one.pending),
  oldest: one.pending === 0 ? '-' : duration(one.oldestSeconds),
  delivered: String(one.delivered),
  skipped: String(one.skipped),
  failed: String(one.failed),
  dead: String(one.deadNow),
  problem: problemOf(one),
});

/** What a person can do about it. */
const hintsOf = (one: SinkFigures): string[] => {
  const { sinkId, kind, organizationId, status, disablesAt, missedFrom, missedUntil } = one;
  const whose = organizationId === null ? '' : ` --organization ${organizationId}`;
  if (status === 'disabled' && kind === 'webhook') {
    return [
      `${sinkId} misses what happens since ${missedFrom?.toISOString() ?? '?'}; mended: rendermill webhooks enable ${sinkId}${whose} --replay`,
    ];
  }
  const missed =
    missedFrom === null || missedUntil === null
      ? []
      : [
          `${sinkId} missed what was received while it was disabled: rendermill events replay --sink ${sinkId} --from ${missedFrom.toISOString()} --to ${missedUntil.toISOString()} --yes`,
        ];
  return disablesAt === null
    ? missed
    : [...missed, `${sinkId} is disabled at ${disablesAt.toISOString()} if it goes on failing.`];
};

const breakerOf = (one: SinkFigures, now: Date): string => {
  const state = breakerState(one, now);
  const leftMs = (one.openUntil?.getTime() ?? 0) - now.getTime();
  return state === 'open' ? `open, ${duration(leftMs / 1_000)}` : state.replace('_', ' ');
};

/** The last error of one that is well again is history. */
const problemOf = ({ statusReason, failingSince, lastError }: SinkFigures): string => {
  const text = statusReason ?? (failingSince === null ? null : lastError);
  return text === null ? '-' : quoted(text);
};

const units: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
];

const duration = (seconds: number): string => {
  const [unit, length] = units.find(([, each]) => seconds >= 2 * each) ?? ['s', 1];
  return `${Math.round(seconds / length)} ${unit}`;
};
