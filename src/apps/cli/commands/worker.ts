import type { Command } from 'commander';
import { RendermillError } from '../../../core/errors.ts';
import { helpEnd } from '../help.ts';
import { positiveInteger } from '../options.ts';
import { openMigratedRecords, runService } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';

interface Options {
  readonly concurrency?: number;
  readonly queues: string;
}

export const addWorkerCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('worker')
    .description('Takes renders from the queue; start as many as there are machines')
    .option('--concurrency <n>', 'renders at once (default: WORKER_CONCURRENCY)', positiveInteger)
    .option('--queues <names>', 'which queues it serves', 'render')
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
          'SHUTDOWN_SECONDS',
          'LOG_LEVEL',
        ],
      ) +
        '\n\nSIGTERM or Ctrl-C: no new work, running renders get SHUTDOWN_SECONDS, the rest goes back to the queue. Twice: now.',
    )
    .action(async (options: Options) => {
      assertServed(options.queues);
      await runService(terminal, async (process) => {
        const { openResources } = await import('../../resources.ts');
        const { startWorker } = await import('../../worker/start-worker.ts');
        const records = await openMigratedRecords(process);
        const resources = await openResources(process, records);
        const concurrency = options.concurrency ?? process.config.WORKER_CONCURRENCY;
        const worker = await startWorker(resources, { concurrency });
        process.log.info({ ...worker, concurrency, queue: resources.queue.backend }, 'the worker takes work');
      });
    });
};

const assertServed = (queues: string): void => {
  const unknown = queues.split(',').find((name) => name.trim() !== 'render');
  if (unknown === undefined) return;
  throw new RendermillError('invalid_configuration', {
    message:
      unknown.trim() === 'campaign'
        ? 'The campaign queue is not built yet; this version serves --queues render.'
        : `There is no queue "${unknown.trim()}"; this version serves --queues render.`,
  });
};
