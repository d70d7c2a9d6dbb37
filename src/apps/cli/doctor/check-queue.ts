import { pino } from 'pino';
import { openJobQueue } from '../../../platform/queue/open-job-queue.ts';
import { renderQueueName } from '../../resources.ts';
import { type Check, missing, ok, reasonOf, warning } from './check.ts';

/** Reachable, and set up so that it loses nothing: the queue itself refuses what may not be, and warns of the rest. */
export const checkQueue = async (redisUrl: string | undefined): Promise<Check> => {
  if (redisUrl === undefined) return ok('queue', 'in Postgres (REDIS_URL is not set)');
  const warnings: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void warnings.push(String(JSON.parse(line).msg)) });
  try {
    const queue = await openJobQueue({
      name: renderQueueName,
      backend: { kind: 'redis', url: redisUrl },
      log,
    });
    await queue.ping();
    await queue.close();
    return warnings.length === 0
      ? ok('queue', 'Redis, noeviction, append-only')
      : warning('queue', 'Redis', warnings.join(' '));
  } catch (error) {
    return missing('queue', reasonOf(error), 'Start Redis and set it up as it says, or unset REDIS_URL.');
  }
};
