/** A worker in a process of its own, to be killed: takes one job, says so, and never ends it. */
import { createLogger } from '../../../src/platform/log/log.ts';
import { openJobQueue } from '../../../src/platform/queue/open-job-queue.ts';

const [kind, url, name, lockDurationMs, stalledIntervalMs] = process.argv.slice(2);
if ((kind !== 'redis' && kind !== 'postgres') || url === undefined || name === undefined)
  throw new Error('kind, url and name, please');

const queue = await openJobQueue({
  name,
  backend: { kind, url },
  lockDurationMs: Number(lockDurationMs),
  stalledIntervalMs: Number(stalledIntervalMs),
  log: createLogger({ level: 'warn' }),
});
await queue.startWorker(1, (job) => {
  process.stdout.write(`${job.id}\n`);
  return new Promise(() => undefined);
});
