import {
  GetBucketLifecycleConfigurationCommand,
  PutBucketLifecycleConfigurationCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { getOrCreateBucket } from '@remotion/lambda';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { ensureBucket, examineBucket } from '../../../src/platform/aws/ensure-bucket.ts';
import { accountId } from '../../support/aws/account.ts';
import { clientOf } from '../../support-aws/s3-client.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

// Remotion's packages and the SDK in them take long to load on a machine that is busy.
vi.setConfig({ testTimeout: 120_000 });

let aws: LocalAws;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
// Else Remotion would take one of ours for its own.
beforeEach(() => aws.s3.buckets.clear());

const region = 'us-east-1';
let number = 0;
const newName = () => `remotionlambda-useast1-t${number++}`;
const orderOf = (bucket: string) => ({ region, bucket, accountId }) as const;

const put = (bucket: string, key: string, more: { ACL?: 'private' } = {}) =>
  clientOf(aws.s3).send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: 'x', ...more }));
/** What a stranger is answered. */
const statusOf = async (bucket: string, key: string): Promise<number> =>
  (await fetch(`${aws.s3.url}/${bucket}/${key}`)).status;
const statusesOf = async (bucket: string) =>
  Object.fromEntries(
    await Promise.all(
      ['sites/a/index.html', 'renders/r/progress.json', 'outputs/o.mp4', 'input-props/p.json', ''].map(
        async (key): Promise<[string, number]> => [key, await statusOf(bucket, key)],
      ),
    ),
  );
const closed = {
  'sites/a/index.html': 200,
  'renders/r/progress.json': 403,
  'outputs/o.mp4': 403,
  'input-props/p.json': 403,
  '': 403,
};
const fill = async (bucket: string) => {
  // As Remotion writes progress: a bucket without ACLs would refuse it.
  await put(bucket, 'renders/r/progress.json', { ACL: 'private' });
  for (const key of ['sites/a/index.html', 'outputs/o.mp4', 'input-props/p.json']) await put(bucket, key);
};

it('makes a bucket of which strangers read sites and nothing else', async () => {
  const bucket = newName();
  expect(await ensureBucket(orderOf(bucket))).toEqual({ made: true, closed: [] });
  await fill(bucket);
  expect(await statusesOf(bucket)).toEqual(closed);
  expect(await examineBucket(region, bucket)).toEqual({ sitesAreOpen: true, alsoOpen: [] });
});

it('closes a bucket that Remotion made, with all that lies open in it already', async () => {
  const { bucketName } = await getOrCreateBucket({ region });
  await fill(bucketName);
  const output = aws.s3.buckets.get(bucketName)?.read('outputs/o.mp4');
  if (output) aws.s3.buckets.get(bucketName)?.objects.set('outputs/o.mp4', { ...output, acl: 'public-read' });
  expect(await statusOf(bucketName, 'renders/r/progress.json')).toBe(200);
  expect(await examineBucket(region, bucketName)).toEqual({
    sitesAreOpen: true,
    alsoOpen: ['PublicReadGetObject', 'objects with a public ACL'],
  });

  expect(await ensureBucket(orderOf(bucketName))).toEqual({ made: false, closed: ['PublicReadGetObject'] });
  expect(await statusesOf(bucketName)).toEqual(closed);
  expect(await ensureBucket(orderOf(bucketName))).toEqual({ made: false, closed: [] });
});

it('lets S3 remove what renders left behind, and leaves the rules of others', async () => {
  const bucket = newName();
  await ensureBucket(orderOf(bucket));
  const client = clientOf(aws.s3);
  const theirs = {
    ID: 'theirs',
    Status: 'Enabled',
    Filter: { Prefix: 'mine/' },
    Expiration: { Days: 9 },
  } as const;
  await client.send(
    new PutBucketLifecycleConfigurationCommand({
      Bucket: bucket,
      LifecycleConfiguration: { Rules: [theirs] },
    }),
  );
  await ensureBucket(orderOf(bucket));
  await ensureBucket(orderOf(bucket));
  const { Rules = [] } = await client.send(new GetBucketLifecycleConfigurationCommand({ Bucket: bucket }));
  expect(Rules.map(({ ID }) => ID)).toEqual([
    'theirs',
    'rendermill-expire-renders',
    'rendermill-expire-outputs',
    'rendermill-expire-input-props',
    'rendermill-expire-resolved-props',
    'rendermill-unfinished-uploads',
  ]);
  expect(Rules.find(({ ID }) => ID === 'rendermill-expire-renders')).toMatchObject({
    Filter: { Prefix: 'renders/' },
    Expiration: { Days: 3 },
  });
  expect(Rules.at(-1)?.AbortIncompleteMultipartUpload).toEqual({ DaysAfterInitiation: 1 });
});

it('says that the bucket lies in another region, and changes nothing there', async () => {
  const bucket = newName();
  const settings = aws.s3.createBucket(bucket, 'eu-central-1').settings;
  const before = [...settings];
  await expect(ensureBucket(orderOf(bucket))).rejects.toMatchObject({
    code: 'lambda_misconfigured',
    message: expect.stringContaining('does not lie in us-east-1'),
  });
  expect([...settings]).toEqual(before);
});

it("takes no stranger's bucket", async () => {
  const bucket = newName();
  const settings = aws.s3.createBucket(bucket).settings;
  const before = [...settings];
  await expect(ensureBucket({ ...orderOf(bucket), accountId: '999999999999' })).rejects.toMatchObject({
    code: 'lambda_misconfigured',
    message: expect.stringContaining('another account'),
  });
  expect([...settings]).toEqual(before);
});

it('makes one in another region there', async () => {
  const bucket = newName();
  await ensureBucket({ region: 'eu-central-1', bucket, accountId });
  expect(aws.s3.buckets.get(bucket)?.region).toBe('eu-central-1');
  expect(await ensureBucket({ region: 'eu-central-1', bucket, accountId })).toMatchObject({ made: false });
});

it('says that a permission is missing', async () => {
  const bucket = newName();
  aws.s3.faults.push({
    match: ({ method, query }) => method === 'PUT' && query.has('policy'),
    times: 1,
    status: 403,
    code: 'AccessDenied',
  });
  await expect(ensureBucket(orderOf(bucket))).rejects.toMatchObject({
    code: 'lambda_misconfigured',
    message: expect.stringContaining('--print-policies'),
  });
});

it('misses a bucket that there is not', async () => {
  await expect(examineBucket(region, newName())).rejects.toMatchObject({
    code: 'lambda_misconfigured',
    message: expect.stringContaining('LAMBDA_BUCKET'),
  });
});
