import type { Command } from 'commander';
import { helpEnd } from '../help.ts';
import { openMigratedRecords, runService } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';

export const addApiCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('api')
    .description('The HTTP API alone; renders run in workers')
    .addHelpText(
      'after',
      helpEnd(
        ['DATABASE_URL=postgres://… REDIS_URL=redis://… HOST=0.0.0.0 rendermill api'],
        [
          'DATABASE_URL',
          'REDIS_URL',
          'STORAGE_DIRECTORY',
          'S3_BUCKET',
          'HOST',
          'PORT',
          'PUBLIC_URL',
          'TRUST_PROXY',
          'RATE_LIMIT_SECRET_PER_MINUTE',
          'RATE_LIMIT_PUBLISHABLE_PER_MINUTE',
          'RATE_LIMIT_ADDRESS_PER_MINUTE',
          'ENVIRONMENT',
          'LOG_LEVEL',
        ],
      ),
    )
    .action(() =>
      runService(terminal, async (process) => {
        const { startApi } = await import('../../api/start-api.ts');
        const { nameEnvironment, openResources } = await import('../../resources.ts');
        const { placeOfFiles } = await import('../../open-storage.ts');
        const records = await openMigratedRecords(process);
        await nameEnvironment(records.db, process.config.ENVIRONMENT);
        const resources = await openResources(process, records);
        const { url } = await startApi(resources);
        process.log.info(
          { url, queue: resources.queue.backend, storage: placeOfFiles(process.config) },
          'the API listens',
        );
      }),
    );
};
