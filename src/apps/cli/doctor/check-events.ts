/** Whether what happened reaches those who are to hear of it. */
import { type SinkFigures, sinkFigures } from '../../../domain/deliveries/read-deliveries.ts';
import { findLogHolder, type LogHolder } from '../../../domain/events/log-holder.ts';
import { type LogLag, readLogLag } from '../../../domain/events/log-lag.ts';
import { projectorName } from '../../../domain/events/read-page.ts';
import type { Database } from '../../../platform/db/client.ts';
import { describeLogHolder, longestTransactionSeconds, mendLogHolder } from '../../describe-log-holder.ts';
import { type Check, ok, warning } from './check.ts';

/** A dispatcher that runs reads an event within a second. */
const longestLagSeconds = 60;

export const checkEvents = async (db: Database, now: Date): Promise<Check> =>
  judgeEvents(await sinkFigures(db, now), await readLogLag(db, projectorName, now), await findLogHolder(db));

/** One whose age is hidden is suspected where something waits. */
const holdsUp = ({ seconds }: LogHolder, waits: boolean): boolean =>
  seconds === null ? waits : seconds > longestTransactionSeconds;

export const judgeEvents = (
  sinks: readonly SinkFigures[],
  lag: LogLag,
  oldest: LogHolder | null = null,
): Check => {
  const failing = sinks.filter((one) => one.status === 'enabled' && one.failingSince !== null);
  const stuck = sinks.filter((one) => one.status === 'disabled' && one.pending > 0);
  const dead = sinks.reduce((sum, one) => sum + one.deadNow, 0);
  const waits = lag.events > 0 && lag.seconds > longestLagSeconds;
  const holder = oldest !== null && holdsUp(oldest, waits) ? oldest : null;
  const problems = [
    ...(holder
      ? [`an open transaction holds up every event recorded since it began: ${describeLogHolder(holder)}`]
      : []),
    ...(waits ? [`${lag.events} not read by a dispatcher`] : []),
    ...(failing.length > 0 ? [`failing: ${namesOf(failing)}`] : []),
    ...(stuck.length > 0 ? [`disabled while deliveries wait: ${namesOf(stuck)}`] : []),
    ...(dead > 0 ? [`${dead} ${dead === 1 ? 'delivery' : 'deliveries'} dead`] : []),
  ];
  if (problems.length > 0)
    return warning(
      'events',
      problems.join('; '),
      holder ? mendLogHolder(holder) : mendOf(waits, dead, stuck.length > 0),
    );
  return ok(
    'events',
    sinks.length === 0 ? 'no sinks' : `${sinks.length} ${sinks.length === 1 ? 'sink' : 'sinks'}, all well`,
  );
};

const shownNames = 5;

const namesOf = (sinks: readonly SinkFigures[]): string => {
  const names = sinks.slice(0, shownNames).map((one) => one.sinkId);
  return sinks.length > shownNames
    ? `${names.join(', ')} and ${sinks.length - shownNames} more`
    : names.join(', ');
};

const mendOf = (waits: boolean, dead: number, stuck: boolean): string => {
  if (waits) return 'Start one: rendermill dispatcher, or rendermill up.';
  if (stuck) return 'See rendermill events sinks, which names the command that enables each again.';
  return dead > 0
    ? 'See rendermill events sinks and rendermill events dead; rendermill events retry sends again.'
    : 'See rendermill events sinks.';
};
