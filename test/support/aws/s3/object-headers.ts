import { AwsError } from '../aws-error.ts';
import { type CheckedRequest, header, type S3Request } from './request.ts';
import type { Bucket, ObjectHeaders } from './store.ts';

const kept = ['content-type', 'content-disposition', 'content-language', 'cache-control', 'expires'];

/** `aws-chunked` tells of the transport only. */
const contentEncodingOf = (request: S3Request): string =>
  (header(request, 'content-encoding') ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one !== 'aws-chunked')
    .join(',');

export const objectHeadersOf = (request: S3Request): ObjectHeaders => {
  const names = [...kept, ...Object.keys(request.headers).filter((name) => name.startsWith('x-amz-meta-'))];
  const entries = names.flatMap((name) => {
    const value = header(request, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  const encoding = contentEncodingOf(request);
  return {
    'content-type': 'binary/octet-stream',
    ...Object.fromEntries(entries),
    ...(encoding ? { 'content-encoding': encoding } : {}),
  };
};

/**
 * The canned ACL. A bucket whose owner owns everything (the default) refuses any but the one that says so — `private` too, so that Remotion,
 * which writes its progress with that, needs a bucket with ACLs.
 */
export const aclOf = (bucket: Bucket, request: S3Request): string => {
  const acl = header(request, 'x-amz-acl');
  const hasAcls = !(bucket.settings.get('ownershipControls') ?? '').includes('BucketOwnerEnforced');
  if (acl !== undefined && !hasAcls && acl !== 'bucket-owner-full-control')
    throw new AwsError(400, 'AccessControlListNotSupported', 'The bucket does not allow ACLs');
  return acl ?? 'private';
};

export const storageClassOf = (request: S3Request): string =>
  header(request, 'x-amz-storage-class') ?? 'STANDARD';

const overridable = [
  'content-type',
  'content-disposition',
  'content-encoding',
  'content-language',
  'cache-control',
  'expires',
];

/** `?response-content-disposition=…` and its like; only who signed may ask. */
export const overridesOf = (request: CheckedRequest): ObjectHeaders => {
  const entries = overridable.flatMap((name) => {
    const value = request.query.get(`response-${name}`);
    return value === null ? [] : [[name, value] as const];
  });
  if (entries.length > 0 && request.signer === null)
    throw new AwsError(
      400,
      'InvalidRequest',
      'Request specific response headers cannot be used for anonymous GET requests.',
    );
  // S3 takes the rest of Latin-1, too, which Node's server cannot write into Content-Disposition.
  if (entries.some(([, value]) => !/^[\x20-\x7e]*$/.test(value)))
    throw new AwsError(400, 'InvalidArgument', 'Header value cannot be represented using ISO-8859-1.');
  return Object.fromEntries(entries);
};
