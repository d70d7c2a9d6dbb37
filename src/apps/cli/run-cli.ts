import { Command, CommanderError } from 'commander';
import { version } from '../version.ts';
import { addApiCommand } from './commands/api.ts';
import { addBundleCommand } from './commands/bundle.ts';
import { addCampaignCommand } from './commands/campaign.ts';
import { addCompositionsCommand } from './commands/compositions.ts';
import { addDispatcherCommand } from './commands/dispatcher.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addEventsCommand } from './commands/events.ts';
import { addImportCsvCommand } from './commands/import-csv.ts';
import { addKeysCommand } from './commands/keys.ts';
import { addLambdaCommand } from './commands/lambda.ts';
import { addMigrateCommand } from './commands/migrate.ts';
import { addOrganizationsCommand } from './commands/organizations.ts';
import { addRenderCommand } from './commands/render.ts';
import { addUpCommand } from './commands/up.ts';
import { addWebhooksCommand } from './commands/webhooks.ts';
import { addWorkerCommand } from './commands/worker.ts';
import { addZipCommand } from './commands/zip.ts';
import { ExitCode } from './exit-code.ts';
import { explainFailure } from './explain-failure.ts';
import { describeAllVariables } from './help.ts';
import type { Terminal } from './terminal.ts';

const usageError = 2;

/** Resolves with the exit code: 0 done, 1 failed, 2 not understood, 130 interrupted. */
export const runCli = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  const program = createProgram(terminal);
  try {
    await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has written its own message already; asked for help or the version it leaves with 0.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError;
    if (error instanceof ExitCode) return error.exitCode;
    const level = terminal.environment.LOG_LEVEL;
    terminal.note(explainFailure(error, { stack: level === 'debug' || level === 'trace' }));
    return 1;
  }
};

const createProgram = (terminal: Terminal): Command => {
  const program = new Command('rendermill')
    .description('Renders Remotion compositions to stills and videos from a queue, metered and recorded.')
    .version(version)
    .exitOverride()
    .showHelpAfterError('(rendermill --help tells more)')
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
    })
    .addHelpText(
      'after',
      `
Start here:
  rendermill up                                 everything in one process, nothing to set up
  rendermill render product-card                in a second terminal: a still through it
  rendermill doctor                             what this machine lacks

${describeAllVariables()}`,
    );
  addUpCommand(program, terminal);
  addApiCommand(program, terminal);
  addWorkerCommand(program, terminal);
  addDispatcherCommand(program, terminal);
  addMigrateCommand(program, terminal);
  addDoctorCommand(program, terminal);
  addRenderCommand(program, terminal);
  addCampaignCommand(program, terminal);
  addZipCommand(program, terminal);
  addImportCsvCommand(program, terminal);
  addBundleCommand(program, terminal);
  addCompositionsCommand(program, terminal);
  addOrganizationsCommand(program, terminal);
  addKeysCommand(program, terminal);
  addEventsCommand(program, terminal);
  addWebhooksCommand(program, terminal);
  addLambdaCommand(program, terminal);
  return program;
};
