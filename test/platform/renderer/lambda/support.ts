import { systemClock } from '../../../../src/platform/clock/clock.ts';
import { createLogger } from '../../../../src/platform/log/log.ts';
import type { RemoteRenderer } from '../../../../src/platform/renderer/contract.ts';
import { createLambdaRenderer } from '../../../../src/platform/renderer/lambda/lambda-renderer.ts';
import type { LambdaRendererOptions } from '../../../../src/platform/renderer/lambda/options.ts';
import type { SlotBudget, SlotOrder } from '../../../../src/platform/renderer/lambda/slot-budget.ts';
import type { S3Emulator } from '../../../support/aws/s3/start-s3.ts';
import type { AwsEmulator } from '../../../support/aws/start-aws.ts';

export const bucketName = 'renders';
export const region = 'us-east-1';
export const log = createLogger({ level: 'silent' });

/** As `rendermill lambda deploy` makes it: ACLs on, because Remotion writes with them, and only `sites/` open to all. */
export const makeBucket = (s3: S3Emulator) => {
  const bucket = s3.createBucket(bucketName, region);
  bucket.settings.delete('ownershipControls');
  bucket.settings.delete('publicAccessBlock');
  const statement = {
    Effect: 'Allow',
    Principal: '*',
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${bucketName}/sites/*`,
  };
  bucket.settings.set('policy', JSON.stringify({ Version: '2012-10-17', Statement: [statement] }));
  return bucket;
};

/** Where clients that are made from now on find S3 and all else. */
export const useS3 = (s3: S3Emulator, lambdaUrl = s3.url): void => {
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    AWS_REGION: region,
    AWS_ENDPOINT_URL: lambdaUrl,
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    REMOTION_DISABLE_AWS_CLIENT_CACHE: '1',
  });
};

export interface WatchedBudget extends SlotBudget {
  readonly orders: readonly SlotOrder[];
  /** Ids of leases that were neither released nor replaced. */
  readonly held: ReadonlySet<string>;
  readonly throttlings: number;
}

/** Gives every render as many functions as it is told; null: none. */
export const unlimitedBudget = (functions: number | null = 3): WatchedBudget => {
  const orders: SlotOrder[] = [];
  const held = new Set<string>();
  let throttlings = 0;
  return {
    orders,
    held,
    get throttlings() {
      return throttlings;
    },
    acquire: async (order) => {
      orders.push(order);
      if (functions === null) return null;
      held.add(order.id);
      return {
        functions,
        renew: async () => undefined,
        release: async () => void held.delete(order.id),
      };
    },
    throttled: async () => {
      throttlings += 1;
    },
  };
};

/** A renderer that looks often and tidies up soon. */
export const openRenderer = async (
  aws: Pick<AwsEmulator, 'functionName' | 's3'>,
  options: Partial<LambdaRendererOptions> = {},
): Promise<RemoteRenderer> =>
  createLambdaRenderer({
    region,
    functionName: aws.functionName,
    bucketName,
    budget: unlimitedBudget(),
    siteBaseUrl: await aws.s3.serveBucketAtRoot(bucketName),
    pollMs: 200,
    delayRenderTimeoutMs: 7_000,
    afterwardsMs: 3_000,
    log,
    clock: systemClock,
    ...options,
  });

export const until = async (what: string, condition: () => boolean | Promise<boolean>): Promise<void> => {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`Not within a minute: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
