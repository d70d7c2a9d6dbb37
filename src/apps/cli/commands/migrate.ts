import type { Command } from 'commander';
import { helpEnd } from '../help.ts';
import { runTask } from '../run-process.ts';
import type { Terminal } from '../terminal.ts';

export const addMigrateCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('migrate')
    .description('Brings the database up to this version; safe to run many times and at once')
    .option('--json', 'print {"applied": […]}')
    .addHelpText(
      'after',
      helpEnd(
        ['DATABASE_URL=postgres://… rendermill migrate'],
        ['DATABASE_URL', 'ENVIRONMENT', 'RENDERMILL_HOME'],
      ),
    )
    .action(({ json }: { json?: boolean }) =>
      runTask(terminal, async (process) => {
        const { nameEnvironment, openRecords } = await import('../../resources.ts');
        const { migrateDatabase } = await import('../../../platform/db/migrate.ts');
        const { db, databaseUrl } = await openRecords(process, { owner: false, mayCreate: true });
        const applied = await migrateDatabase(databaseUrl, process.log);
        await nameEnvironment(db, process.config.ENVIRONMENT);
        if (json) return terminal.print(JSON.stringify({ applied }));
        terminal.print(
          applied.length === 0
            ? 'Nothing to do: the database is up to date.'
            : `Applied ${applied.join(', ')}.`,
        );
      }),
    );
};
