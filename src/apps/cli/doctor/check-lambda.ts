/** Whether Lambda can render: its function, its bucket, its room. */
import { examineBucket } from '../../../platform/aws/ensure-bucket.ts';
import { askFunction, type FunctionVersions } from '../../../platform/aws/function.ts';
import { mostSlots, type Quotas, readQuotas } from '../../../platform/aws/quotas.ts';
import { toRegion } from '../../../platform/aws/region.ts';
import type { AwsRegion } from '../../../platform/aws/remotion-lambda.ts';
import type { Config } from '../../../platform/config/config.ts';
import { type Check, missing, ok, reasonOf, unknown, warning } from './check.ts';

const names = { function: 'lambda', bucket: 'lambda bucket', slots: 'lambda slots' } as const;

export const judgeFunction = (name: string, { deployed, ours }: FunctionVersions): Check =>
  deployed === ours
    ? ok(names.function, name)
    : missing(
        names.function,
        `${name} has Remotion ${deployed}, this installation ${ours}`,
        'Run rendermill lambda deploy, and set the LAMBDA_FUNCTION that it prints.',
      );

export const judgeBucket = (
  bucket: string,
  { sitesAreOpen, alsoOpen }: { readonly sitesAreOpen: boolean; readonly alsoOpen: readonly string[] },
): Check => {
  const mend = `Run rendermill lambda deploy --bucket ${bucket}: it opens sites/ and closes the rest.`;
  if (!sitesAreOpen)
    return missing(names.bucket, `${bucket}: the function's browser may not read sites/`, mend);
  return alsoOpen.length === 0
    ? ok(names.bucket, `${bucket}, only sites/ is public`)
    : warning(names.bucket, `${bucket}: anybody may read more than sites/: ${alsoOpen.join('; ')}`, mend);
};

export const judgeSlots = (slots: number, quotas: Quotas): Check => {
  const most = mostSlots(quotas);
  return slots <= most
    ? ok(names.slots, `${slots} of ${most}`)
    : warning(
        names.slots,
        `LAMBDA_SLOTS is ${slots}, and AWS runs ${most} at once`,
        `Set it to ${most} or less, or ask AWS for more: rendermill lambda quotas.`,
      );
};

/** What fails is a finding of its own. */
const look = (name: string, check: Promise<Check>, finding: typeof missing): Promise<Check> =>
  check.catch((error: unknown) => finding(name, reasonOf(error), 'See docs/lambda.md.'));

const checkAll = (region: AwsRegion, config: Config, functionName: string): Promise<Check[]> => {
  const bucket = config.LAMBDA_BUCKET ?? '';
  return Promise.all([
    look(
      names.function,
      askFunction(region, functionName).then((versions) => judgeFunction(functionName, versions)),
      missing,
    ),
    look(
      names.bucket,
      examineBucket(region, bucket).then((state) => judgeBucket(bucket, state)),
      missing,
    ),
    look(
      names.slots,
      readQuotas(region).then((quotas) => judgeSlots(config.LAMBDA_SLOTS, quotas)),
      warning,
    ),
  ]);
};

export const checkLambda = async (config: Config): Promise<readonly Check[]> => {
  if (config.LAMBDA_FUNCTION === undefined) return [];
  try {
    return await checkAll(await toRegion(config.LAMBDA_REGION), config, config.LAMBDA_FUNCTION);
  } catch (error) {
    return [
      missing(names.function, reasonOf(error), 'Correct LAMBDA_REGION.'),
      ...[names.bucket, names.slots].map((name) => unknown(name, 'the region is not known')),
    ];
  }
};
