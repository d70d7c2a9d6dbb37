/** Who holds up the event log, and how to end it, in words for an operator. */
import type { LogHolder } from '../domain/events/log-holder.ts';
import { quoted } from './cli/quoted.ts';

const unseen = 'not visible to this role';

/** An ordinary transaction is shorter than this. */
export const longestTransactionSeconds = 60;

const ageOf = ({ seconds }: LogHolder): string =>
  seconds === null ? `open for a time ${unseen}` : `open for ${Math.floor(seconds)} s`;

export const describeLogHolder = (holder: LogHolder): string => {
  const { gid, pid, database, user, application, state } = holder;
  const what = gid === null ? `pid ${pid}` : `prepared transaction ${quoted(gid)}`;
  const facts = [
    ageOf(holder),
    `database ${quoted(database ?? '-')}`,
    `user ${quoted(user ?? '-')}`,
    ...(gid === null ? [`application ${quoted(application ?? '-')}`, `state ${state ?? unseen}`] : []),
  ];
  return `${what} (${facts.join(', ')})`;
};

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

export const mendLogHolder = ({ gid, pid, database, seconds }: LogHolder): string => {
  const end =
    gid === null
      ? `Let it end, or end it: SELECT pg_terminate_backend(${pid}).`
      : `In the database ${database}: COMMIT PREPARED ${literal(gid)} or ROLLBACK PREPARED ${literal(gid)}.`;
  return seconds === null && gid === null
    ? `${end} GRANT pg_read_all_stats to this role to see its age.`
    : end;
};
