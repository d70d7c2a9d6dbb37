import { findLogHolder } from '../../domain/events/log-holder.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import { describeLogHolder, longestTransactionSeconds, mendLogHolder } from '../describe-log-holder.ts';

/** Events that do not arrive are otherwise all that is seen of it, and nothing says why. */
export const warnOfLogHolder = async (
  db: Database,
  log: Logger,
  longestSeconds: number = longestTransactionSeconds,
): Promise<void> => {
  const holder = await findLogHolder(db);
  if (holder?.seconds == null || holder.seconds <= longestSeconds) return;
  log.warn(
    { holder, mend: mendLogHolder(holder) },
    `events that were recorded since a transaction began wait for its end: ${describeLogHolder(holder)}`,
  );
};
