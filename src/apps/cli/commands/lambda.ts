import type { Command } from 'commander';
import { helpEnd } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { addDeployCommand } from './lambda/deploy.ts';
import { addEstimateCommand } from './lambda/estimate.ts';
import { addQuotasCommand } from './lambda/quotas.ts';
import { addRemoveCommand } from './lambda/remove.ts';
import { addSitesCommand } from './lambda/sites.ts';

export const addLambdaCommand = (program: Command, terminal: Terminal): void => {
  const lambda = program
    .command('lambda')
    .description('Rendering on AWS Lambda: its function, its bucket, its sites, its limits and its price')
    .addHelpText(
      'after',
      helpEnd(
        [
          'rendermill lambda estimate --frames 900 --ms-per-frame 120      offline',
          'rendermill lambda deploy --print-policies                       offline',
          'rendermill lambda deploy --memory 3008 >> .env',
          'rendermill lambda quotas',
          'rendermill lambda sites rm --older-than 30d --yes',
          'rendermill lambda rm --bucket --yes',
        ],
        ['LAMBDA_REGION', 'LAMBDA_FUNCTION', 'LAMBDA_BUCKET', 'LAMBDA_SLOTS'],
      ),
    );
  addDeployCommand(lambda, terminal);
  addSitesCommand(lambda, terminal);
  addRemoveCommand(lambda, terminal);
  addQuotasCommand(lambda, terminal);
  addEstimateCommand(lambda, terminal);
};
