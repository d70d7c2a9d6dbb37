import type { Command } from 'commander';
import { RendermillError } from '../../../../core/errors.ts';
import type { Policies } from '../../../../platform/aws/policies.ts';
import { positiveInteger } from '../../options.ts';
import type { Terminal } from '../../terminal.ts';
import { jsonOption, readVariables, regionOption } from './lambda-commands.ts';

interface Options {
  readonly region?: string;
  readonly memory: number;
  readonly timeout: number;
  readonly disk: number;
  readonly bucket?: string;
  readonly printPolicies?: boolean;
  readonly json?: boolean;
}

/** Remotion's limits; AWS' own are wider. Of a shorter time than 30 seconds its launch function leaves a page less than it takes. */
const limits = {
  memory: { from: 512, to: 10_240, unit: 'MB' },
  disk: { from: 512, to: 10_240, unit: 'MB' },
  timeout: { from: 30, to: 900, unit: 'seconds' },
} as const;

export const addDeployCommand = (lambda: Command, terminal: Terminal): void => {
  lambda
    .command('deploy')
    .description(
      'Makes the function and its bucket, or brings those that are there in order, and prints the variables to set',
    )
    .option(...regionOption)
    .option('--memory <MB>', 'of the function, which gets processors in proportion', positiveInteger, 2048)
    .option('--timeout <seconds>', 'after which AWS ends it, at most 900', positiveInteger, 240)
    .option('--disk <MB>', 'for chunks and videos', positiveInteger, 2048)
    .option('--bucket <name>', 'absent: LAMBDA_BUCKET, else a name made from your account')
    .option('--print-policies', 'only print the IAM policies that this needs; asks AWS nothing')
    .option(...jsonOption)
    .action(async (options: Options) => {
      assertLimits(options);
      await (options.printPolicies ? printPolicies(options, terminal) : deploy(options, terminal));
    });
};

const assertLimits = (options: Options): void => {
  for (const name of ['memory', 'disk', 'timeout'] as const) {
    const { from, to, unit } = limits[name];
    if (options[name] >= from && options[name] <= to) continue;
    throw new RendermillError('invalid_request', {
      message: `--${name} must lie between ${from} and ${to} ${unit}.`,
    });
  }
};

const sizeOf = ({ memory, disk, timeout }: Options) => ({
  memoryMb: memory,
  diskMb: disk,
  timeoutSeconds: timeout,
});

const deploy = async (options: Options, terminal: Terminal): Promise<void> => {
  const { assertBucketName, defaultBucketName, readAccountId } = await import(
    '../../../../platform/aws/account.ts'
  );
  const { ensureBucket } = await import('../../../../platform/aws/ensure-bucket.ts');
  const { ensureFunction } = await import('../../../../platform/aws/function.ts');
  const { toRegion } = await import('../../../../platform/aws/region.ts');
  const variables = readVariables(terminal, options.region);
  const region = await toRegion(variables.region);
  const named = options.bucket ?? variables.bucket;
  if (named !== undefined) assertMayBeOpened(named, terminal, assertBucketName);
  const accountId = await readAccountId(region);
  const bucket = named ?? defaultBucketName(accountId, region);
  const ensuredBucket = await ensureBucket({ region, bucket, accountId });
  const ensuredFunction = await ensureFunction({ region, ...sizeOf(options) });

  const set = { LAMBDA_REGION: region, LAMBDA_FUNCTION: ensuredFunction.name, LAMBDA_BUCKET: bucket };
  if (options.json) {
    const made = { function: ensuredFunction.made, bucket: ensuredBucket.made };
    return terminal.print(JSON.stringify({ variables: set, made, closed: ensuredBucket.closed }));
  }
  terminal.note(
    `Bucket ${bucket}: ${ensuredBucket.made ? 'made' : 'was there'}; anybody may read sites/, nothing else.`,
  );
  for (const what of ensuredBucket.closed) terminal.note(`  Closed: anybody could use "${what}".`);
  terminal.note(`Function ${ensuredFunction.name}: ${ensuredFunction.made ? 'made' : 'was there'}.`);
  terminal.note('Set these for the API and the workers. Nothing costs anything until it is used.\n');
  for (const [name, value] of Object.entries(set)) terminal.print(`${name}=${value}`);
};

const assertMayBeOpened = (
  bucket: string,
  { environment }: Terminal,
  assertBucketName: (name: string) => void,
): void => {
  assertBucketName(bucket);
  if (bucket !== environment.S3_BUCKET?.trim()) return;
  throw new RendermillError('invalid_configuration', {
    message: `${bucket} is S3_BUCKET, which keeps finished files: the function needs a bucket of its own.`,
  });
};

const printPolicies = async (options: Options, terminal: Terminal): Promise<void> => {
  const { bucketPrefix } = await import('../../../../platform/aws/account.ts');
  const { functionName } = await import('../../../../platform/aws/function.ts');
  const { writePolicies } = await import('../../../../platform/aws/policies.ts');
  const { toRegion } = await import('../../../../platform/aws/region.ts');
  const variables = readVariables(terminal, options.region);
  const region = await toRegion(variables.region);
  const policies = await writePolicies({
    region,
    functionName: await functionName(sizeOf(options)),
    bucket: options.bucket ?? variables.bucket ?? `${bucketPrefix}${region.replaceAll('-', '')}-*`,
  });
  if (options.json) return terminal.print(JSON.stringify(policies));
  for (const [name, title] of Object.entries(titles) as [keyof Policies, string][])
    terminal.print(`# ${title}\n${JSON.stringify(policies[name], null, 2)}\n`);
};

const titles: Readonly<Record<keyof Policies, string>> = {
  trust: 'Trust policy of the role remotion-lambda-role: who may take it on',
  role: 'Permissions of the role remotion-lambda-role: what the function may do',
  deployer: 'Permissions of whoever runs rendermill lambda',
  service: 'Permissions of the API and the workers, which only render',
};
