import { type Command, InvalidArgumentError } from 'commander';
import { helpEnd } from '../help.ts';
import { positiveInteger } from '../options.ts';
import { openMigratedRecords, runService } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';

const allQueues = ['render', 'campaign'] as const;
type QueueName = (typeof allQueues)[number];

const isQueue = (name: string): name is QueueName => allQueues.some((queue) => queue === name);

/** Each once, in our order. What it throws is a usage error. */
const servedQueues = (text: string): readonly QueueName[] => {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !isQueue(name));
  if (unknown !== undefined) {
    throw new InvalidArgumentError(
      `There is no queue "${unknown}"; expected some of ${allQueues.join(', ')}.`,
    );
  }
  return allQueues.filter((queue) => names.includes(queue));
};

interface Options {
  readonly concurrency?: number;
  readonly queues: readonly QueueName[];
}

export const addWorkerCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('worker')
    .description('Takes renders from the queue; start as many as there are machines')
    .option('--concurrency <n>', 'renders at once (default: WORKER_CONCURRENCY)', positiveInteger)
    .option(
      '--queues <names>',
      'which queues it serves, comma-separated: render (renders), campaign (plans campaigns and imports)',
      servedQueues,
      allQueues,
    )
    .addHelpText(
      'after',
      helpEnd(
        [
          'DATABASE_URL=postgres://… REDIS_URL=redis://… rendermill worker --concurrency 4',
          'rendermill worker          beside `rendermill up`, in the same folder: twice the renders',
        ],
        [
          'DATABASE_URL',
          'REDIS_URL',
          'STORAGE_DIRECTORY',
          'WORKER_CONCURRENCY',
          'BROWSER_EXECUTABLE',
          'ALLOWED_HOSTS',
          'MEMORY_LIMIT_MB',
          'MIN_FREE_DISK_MB',
          'MIN_FREE_MEMORY_MB',
          'SHUTDOWN_SECONDS',
          'LOG_LEVEL',
        ],
      ) +
        '\n\nSIGTERM or Ctrl-C: no new work, running renders get SHUTDOWN_SECONDS, the rest goes back to the queue. Twice: now.',
    )
    .action(async (options: Options) => {
      await runService(terminal, async (process) => {
        const { openResources } = await import('../../resources.ts');
        const { startWorker } = await import('../../worker/start-worker.ts');
        const records = await openMigratedRecords(process);
        const resources = await openResources(process, records);
        const concurrency = options.concurrency ?? process.config.WORKER_CONCURRENCY;
        const worker = await startWorker(resources, { concurrency, queues: options.queues });
        process.log.info({ ...worker, concurrency, queue: resources.queue.backend }, 'the worker takes work');
      });
    });
};
