import { createHash } from 'node:crypto';
import { RendermillError } from '../../core/errors.ts';
import { type AwsRegion, awsService } from './remotion-lambda.ts';
import { atAws } from './setup-error.ts';

/** The account that the credentials belong to. Needs no permission. */
export const readAccountId = (region: AwsRegion): Promise<string> =>
  atAws(region, async () => {
    const { client, sdk } = await awsService('sts', region);
    const { Account } = await client.send(new sdk.GetCallerIdentityCommand({}));
    if (Account) return Account;
    throw new RendermillError('lambda_misconfigured', {
      message: 'AWS does not say whose these credentials are.',
    });
  });

/** Remotion's role policy allows the function no bucket of another name. */
export const bucketPrefix = 'remotionlambda-';

/** The same each time, so that a second deployment finds the bucket of the first; names are unique over all accounts. */
export const defaultBucketName = (accountId: string, region: string): string =>
  `${bucketPrefix}${region.replaceAll('-', '')}-${createHash('sha256').update(`rendermill ${accountId} ${region}`).digest('hex').slice(0, 12)}`;

/** Throws `invalid_configuration`. */
export const assertBucketName = (name: string): void => {
  if (/^remotionlambda-[a-z0-9][a-z0-9-]{0,46}[a-z0-9]$/.test(name)) return;
  throw new RendermillError('invalid_configuration', {
    message: `"${name}" cannot be the bucket of the function: its name must begin with ${bucketPrefix}, which is what Remotion's role may use, and go on with lower-case letters, digits and dashes, 63 characters in all.`,
  });
};
