import type { Command } from 'commander';
import { helpEnd } from '../help.ts';
import { runService } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';

export const addUpCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('up')
    .description('API, worker and database in one process: nothing to set up')
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill up',
          'PORT=8080 ALLOWED_HOSTS=cdn.example.com rendermill up',
          'DATABASE_URL=postgres://… REDIS_URL=redis://… rendermill up',
        ],
        [
          'RENDERMILL_HOME',
          'PORT',
          'HOST',
          'DATABASE_URL',
          'REDIS_URL',
          'WORKER_CONCURRENCY',
          'ALLOWED_HOSTS',
          'BROWSER_EXECUTABLE',
          'LOG_LEVEL',
        ],
      ),
    )
    .action(() =>
      runService(
        terminal,
        async (process) => {
          const { runUp } = await import('../../up/run-up.ts');
          await runUp(process);
        },
        { forPerson: true },
      ),
    );
};
