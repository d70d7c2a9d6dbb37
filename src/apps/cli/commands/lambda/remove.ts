import type { Command } from 'commander';
import { RendermillError } from '../../../../core/errors.ts';
import { ExitCode } from '../../exit-code.ts';
import type { Terminal } from '../../terminal.ts';
import {
  formatBytes,
  jsonOption,
  type LambdaVariables,
  readVariables,
  regionOption,
  requireBucket,
} from './lambda-commands.ts';

interface Options {
  readonly region?: string;
  readonly function?: string;
  readonly bucket?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export const addRemoveCommand = (lambda: Command, terminal: Terminal): void => {
  lambda
    .command('rm')
    .description('Removes the function and, only where that is asked for, its bucket with all that is in it')
    .option(...regionOption)
    .option('--function <name>', 'absent: LAMBDA_FUNCTION')
    .option('--bucket', 'LAMBDA_BUCKET as well')
    .option('--yes', 'do it; else it only says what that would be, and exits with 1')
    .option(...jsonOption)
    .action((options: Options) => remove(options, terminal));
};

const remove = async (options: Options, terminal: Terminal): Promise<void> => {
  const { removeFunction } = await import('../../../../platform/aws/function.ts');
  const { measureBucket, removeBucket } = await import('../../../../platform/aws/remove-bucket.ts');
  const { toRegion } = await import('../../../../platform/aws/region.ts');
  const variables = readVariables(terminal, options.region);
  const name = requireFunction(options, variables);
  const bucket = options.bucket ? await requireRemovable(variables, terminal) : null;
  const region = await toRegion(variables.region);
  const content = bucket === null ? null : await measureBucket(region, bucket);
  const { yes = false } = options;

  const removedFunction = yes && (await removeFunction(region, name));
  if (yes && bucket !== null) await removeBucket(region, bucket);
  const parts = [
    `the function ${name}`,
    ...(content === null
      ? []
      : [`the bucket ${bucket} with ${content.objects} objects, ${formatBytes(content.sizeInBytes)}`]),
  ].join(' and ');
  if (options.json) {
    const removed = { function: removedFunction, bucket: yes && bucket !== null };
    terminal.print(JSON.stringify({ function: name, bucket, content, removed }));
  } else {
    if (yes && !removedFunction) terminal.note(`There was no function ${name} in ${region}.`);
    terminal.print(yes ? `Removed ${parts}.` : `Would remove ${parts}: add --yes.`);
  }
  if (!yes) throw new ExitCode(1);
};

const requireFunction = (options: Options, variables: LambdaVariables): string => {
  const name = options.function ?? variables.functionName;
  if (name?.startsWith('remotion-render-')) return name;
  throw new RendermillError('invalid_configuration', {
    message:
      name === undefined
        ? 'Say which function: --function <name>, or LAMBDA_FUNCTION.'
        : `${name} is no function of Remotion's: those begin with remotion-render-.`,
  });
};

/** Nothing but a bucket that was made for the function. */
const requireRemovable = async (variables: LambdaVariables, { environment }: Terminal): Promise<string> => {
  const { assertBucketName } = await import('../../../../platform/aws/account.ts');
  const bucket = requireBucket(variables);
  assertBucketName(bucket);
  if (bucket !== environment.S3_BUCKET?.trim()) return bucket;
  throw new RendermillError('invalid_configuration', {
    message: `${bucket} is S3_BUCKET, too: it keeps finished files.`,
  });
};
