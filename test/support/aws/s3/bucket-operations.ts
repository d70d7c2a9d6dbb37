import { accountId } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { readXml, writeXml } from '../xml.ts';
import { type CheckedRequest, header, type S3Response } from './request.ts';
import { type Bucket, type Buckets, createBucket } from './store.ts';

export const s3Namespace = 'http://s3.amazonaws.com/doc/2006-03-01/';

const namePattern = /^(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export const xmlResponse = (root: string, content: Parameters<typeof writeXml>[1]): S3Response => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: writeXml(root, content, s3Namespace),
});

export const listBuckets = (buckets: Buckets, request: CheckedRequest): S3Response => {
  const prefix = request.query.get('prefix') ?? '';
  const found = [...buckets.values()].filter((bucket) => bucket.name.startsWith(prefix));
  return xmlResponse('ListAllMyBucketsResult', {
    Owner: { ID: accountId, DisplayName: 'rendermill' },
    Buckets: {
      Bucket: found.map(({ name, created, region }) => ({
        Name: name,
        CreationDate: created,
        BucketRegion: region,
      })),
    },
  });
};

export const putBucket = (buckets: Buckets, request: CheckedRequest): S3Response => {
  const name = request.bucket;
  const region = request.signer?.region ?? '';
  const [constraint] = readXml(request.body.toString(), 'LocationConstraint');
  if (!namePattern.test(name))
    throw new AwsError(400, 'InvalidBucketName', 'The specified bucket is not valid.');
  if (constraint !== (region === 'us-east-1' ? undefined : region))
    throw new AwsError(
      400,
      'IllegalLocationConstraintException',
      `The ${constraint ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
    );
  if (buckets.has(name) && region !== 'us-east-1')
    throw new AwsError(
      409,
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
    );
  // In us-east-1 S3 answers 200 to the owner who creates it again.
  if (!buckets.has(name))
    buckets.set(name, newBucket(name, region, header(request, 'x-amz-object-ownership')));
  return { status: 200, headers: { location: `/${name}` } };
};

const newBucket = (name: string, region: string, ownership: string | undefined): Bucket => {
  const bucket = createBucket(name, region);
  if (ownership !== undefined) bucket.settings.set('ownershipControls', ownership);
  return bucket;
};

export const headBucket = (bucket: Bucket): S3Response => ({
  status: 200,
  headers: { 'x-amz-bucket-region': bucket.region },
});

export const deleteBucket = (buckets: Buckets, bucket: Bucket): S3Response => {
  if (bucket.objects.size > 0)
    throw new AwsError(409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty');
  buckets.delete(bucket.name);
  return { status: 204 };
};

export const getBucketLocation = (bucket: Bucket): S3Response =>
  xmlResponse('LocationConstraint', bucket.region === 'us-east-1' ? '' : bucket.region);

/** Kept as they come; `policy`, `publicAccessBlock`, `ownershipControls` and `acl` have an effect, the others none. */
export const bucketSettings = [
  'acl',
  'cors',
  'encryption',
  'lifecycle',
  'ownershipControls',
  'policy',
  'publicAccessBlock',
  'tagging',
  'versioning',
] as const;

const errorWhenAbsent: Readonly<Record<string, string>> = {
  cors: 'NoSuchCORSConfiguration',
  encryption: 'ServerSideEncryptionConfigurationNotFoundError',
  lifecycle: 'NoSuchLifecycleConfiguration',
  ownershipControls: 'OwnershipControlsNotFoundError',
  policy: 'NoSuchBucketPolicy',
  publicAccessBlock: 'NoSuchPublicAccessBlockConfiguration',
  tagging: 'NoSuchTagSet',
};

const refuseWhatIsBlocked = (bucket: Bucket, name: string, value: string): void => {
  const block = bucket.settings.get('publicAccessBlock') ?? '';
  const blocks = (what: string): boolean => block === 'all' || new RegExp(`<${what}>true`, 'i').test(block);
  const isPublicPolicy = name === 'policy' && /"Principal":\s*(?:"\*"|\{\s*"AWS":\s*\[?\s*"\*")/.test(value);
  if (isPublicPolicy && blocks('BlockPublicPolicy'))
    throw new AwsError(403, 'AccessDenied', 'Public policies are blocked by the BlockPublicPolicy setting.');
  if (name !== 'acl') return;
  if ((bucket.settings.get('ownershipControls') ?? '').includes('BucketOwnerEnforced'))
    throw new AwsError(400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs');
  if (value.startsWith('public') && blocks('BlockPublicAcls'))
    throw new AwsError(403, 'AccessDenied', 'Public ACLs are blocked by the BlockPublicAcls setting.');
};

export const putSetting = (bucket: Bucket, name: string, request: CheckedRequest): S3Response => {
  const value = request.body.toString() || (header(request, 'x-amz-acl') ?? '');
  refuseWhatIsBlocked(bucket, name, value);
  bucket.settings.set(name, value);
  return { status: 200 };
};

export const getSetting = (bucket: Bucket, name: string): S3Response => {
  const value = bucket.settings.get(name);
  const code = errorWhenAbsent[name];
  if (value === undefined && code) throw new AwsError(404, code);
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: value ?? '' };
};

export const deleteSetting = (bucket: Bucket, name: string): S3Response => {
  bucket.settings.delete(name);
  return { status: 204 };
};
