import { RendermillError } from '../../core/errors.ts';
import { type BucketPlace, closePolicy, judgePolicy, type PolicyVerdict } from './bucket-policy.ts';
import { mergeRules } from './bucket-rules.ts';
import { partitionOf } from './region.ts';
import { type AwsRegion, awsService } from './remotion-lambda.ts';
import { atAws } from './setup-error.ts';

export interface BucketOrder {
  readonly region: AwsRegion;
  readonly bucket: string;
  /** Whose it must be: a stranger's bucket of that name gets nothing of ours. */
  readonly accountId: string;
}

export interface EnsuredBucket {
  readonly made: boolean;
  /** What anybody could do beside reading sites, and cannot any more. */
  readonly closed: readonly string[];
}

type S3 = Awaited<ReturnType<typeof awsService<'s3'>>>;

/** Null where AWS says that there is none. */
const orNull = async <T>(found: Promise<T>, ...absent: readonly string[]): Promise<T | null> => {
  try {
    return await found;
  } catch (error) {
    if (error instanceof Error && absent.includes(error.name)) return null;
    throw error;
  }
};

/** Null where it is not. */
const locate = async ({ client, sdk }: S3, { bucket, accountId }: BucketOrder) => {
  const whose = { Bucket: bucket, ExpectedBucketOwner: accountId };
  try {
    return await orNull(client.send(new sdk.GetBucketLocationCommand(whose)), 'NoSuchBucket');
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'AccessDenied') throw error;
    throw new RendermillError('lambda_misconfigured', {
      message: `The bucket ${bucket} may not be looked at: it belongs to another account than ${accountId}, whose credentials these are, or they lack s3:GetBucketLocation. Choose another name with --bucket, or see rendermill lambda deploy --print-policies.`,
      cause: error,
    });
  }
};

const makeIfAbsent = async (s3: S3, order: BucketOrder): Promise<boolean> => {
  if ((await locate(s3, order)) !== null) return false;
  const { region, bucket } = order;
  // S3 refuses us-east-1 as a constraint.
  const where = region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: region } };
  await s3.client.send(new s3.sdk.CreateBucketCommand({ Bucket: bucket, ...where }));
  return true;
};

/** The functions write their progress with the ACL `private`, which a bucket without ACLs refuses: it keeps them, and ignores public ones. */
const keepPrivate = async ({ client, sdk }: S3, { bucket, accountId }: BucketOrder) => {
  const whose = { Bucket: bucket, ExpectedBucketOwner: accountId };
  await client.send(
    new sdk.PutBucketOwnershipControlsCommand({
      ...whose,
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerPreferred' }] },
    }),
  );
  await client.send(
    new sdk.PutPublicAccessBlockCommand({
      ...whose,
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        // What opens sites/ is a public policy.
        BlockPublicPolicy: false,
        RestrictPublicBuckets: false,
      },
    }),
  );
};

const openSitesOnly = async ({ client, sdk }: S3, order: BucketOrder): Promise<readonly string[]> => {
  const whose = { Bucket: order.bucket, ExpectedBucketOwner: order.accountId };
  const place: BucketPlace = { bucket: order.bucket, partition: partitionOf(order.region) };
  const found = await orNull(client.send(new sdk.GetBucketPolicyCommand(whose)), 'NoSuchBucketPolicy');
  const policy = found?.Policy ?? null;
  await client.send(new sdk.PutBucketPolicyCommand({ ...whose, Policy: closePolicy(policy, place) }));
  return judgePolicy(policy, place).alsoOpen;
};

const expireLeftovers = async ({ client, sdk }: S3, { bucket, accountId }: BucketOrder) => {
  const whose = { Bucket: bucket, ExpectedBucketOwner: accountId };
  const found = await orNull(
    client.send(new sdk.GetBucketLifecycleConfigurationCommand(whose)),
    'NoSuchLifecycleConfiguration',
  );
  await client.send(
    new sdk.PutBucketLifecycleConfigurationCommand({
      ...whose,
      LifecycleConfiguration: { Rules: mergeRules(found?.Rules ?? []) },
    }),
  );
};

/** Makes the bucket, or brings one that is there into its proper state; may be called again at any time. */
export const ensureBucket = (order: BucketOrder): Promise<EnsuredBucket> =>
  atAws(order.region, async () => {
    const s3 = await awsService('s3', order.region);
    const made = await makeIfAbsent(s3, order);
    await keepPrivate(s3, order);
    const closed = await openSitesOnly(s3, order);
    await expireLeftovers(s3, order);
    return { made, closed };
  });

/** What anybody may read of it. Changes nothing. */
export const examineBucket = (region: AwsRegion, bucket: string): Promise<PolicyVerdict> =>
  atAws(region, async () => {
    const { client, sdk } = await awsService('s3', region);
    const found = await orNull(
      client.send(new sdk.GetBucketPolicyCommand({ Bucket: bucket })),
      'NoSuchBucketPolicy',
    );
    const block = await orNull(
      client.send(new sdk.GetPublicAccessBlockCommand({ Bucket: bucket })),
      'NoSuchPublicAccessBlockConfiguration',
    );
    const { IgnorePublicAcls = false, RestrictPublicBuckets = false } =
      block?.PublicAccessBlockConfiguration ?? {};
    const place: BucketPlace = { bucket, partition: partitionOf(region) };
    const { sitesAreOpen, alsoOpen } = judgePolicy(found?.Policy ?? null, place);
    return {
      sitesAreOpen: sitesAreOpen && !RestrictPublicBuckets,
      alsoOpen: [
        ...(RestrictPublicBuckets ? [] : alsoOpen),
        ...(IgnorePublicAcls ? [] : ['objects with a public ACL']),
      ],
    };
  });
