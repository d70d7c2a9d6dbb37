import { accountId } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import {
  bucketSettings,
  deleteBucket,
  deleteSetting,
  getBucketLocation,
  getSetting,
  headBucket,
  listBuckets,
  putBucket,
  putSetting,
} from './bucket-operations.ts';
import { listObjects } from './list-objects.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  listMultipartUploads,
  listParts,
  uploadPart,
} from './multipart-operations.ts';
import { copyObject, deleteObject, deleteObjects, getObject, putObject } from './object-operations.ts';
import { type CheckedRequest, header, type S3Response } from './request.ts';
import type { Bucket, Buckets } from './store.ts';

type Operation = (bucket: Bucket, request: CheckedRequest, buckets: Buckets) => S3Response;

/** `method, sub-resource` → operation. */
const ofBuckets: Readonly<Record<string, Operation>> = {
  'HEAD ': (bucket) => headBucket(bucket),
  'DELETE ': (bucket, _, buckets) => deleteBucket(buckets, bucket),
  'GET list-type': listObjects,
  'GET location': (bucket) => getBucketLocation(bucket),
  'GET uploads': listMultipartUploads,
  'POST delete': deleteObjects,
  ...Object.fromEntries(
    bucketSettings.flatMap((name): [string, Operation][] => [
      [`PUT ${name}`, (bucket, request) => putSetting(bucket, name, request)],
      [`GET ${name}`, (bucket) => getSetting(bucket, name)],
      [`DELETE ${name}`, (bucket) => deleteSetting(bucket, name)],
    ]),
  ),
};

const ofObjects: Readonly<Record<string, Operation>> = {
  'GET ': getObject,
  'HEAD ': getObject,
  'DELETE ': deleteObject,
  'PUT ': (bucket, request, buckets) =>
    header(request, 'x-amz-copy-source') === undefined
      ? putObject(bucket, request)
      : copyObject(buckets, bucket, request),
  'POST uploads': createMultipartUpload,
  'PUT uploadId': uploadPart,
  'POST uploadId': completeMultipartUpload,
  'DELETE uploadId': abortMultipartUpload,
  'GET uploadId': listParts,
};

/** What only tunes an operation. Everything else in a query names a sub-resource: one that we do not know is refused, never ignored. */
const isParameter = (name: string): boolean =>
  /^(x-amz-|x-id$|response-|prefix$|delimiter$|max-|continuation-token$|start-after$|encoding-type$|fetch-owner$|key-marker$|upload-id-marker$|part-?number)/i.test(
    name,
  );

const findOperation = (request: CheckedRequest): Operation => {
  const subResources = [...request.query.keys()].filter((name) => !isParameter(name));
  const operations = request.key === '' ? ofBuckets : ofObjects;
  const operation = operations[`${request.method} ${subResources.join(' ')}`];
  if (!operation || (header(request, 'x-amz-copy-source') !== undefined && subResources.length > 0))
    throw new AwsError(
      501,
      'NotImplemented',
      `The emulator does not know ${request.method} /${request.bucket}/${request.key}?${request.query}.`,
    );
  return operation;
};

const checkOwner = (request: CheckedRequest): void => {
  const expected = header(request, 'x-amz-expected-bucket-owner');
  if (expected !== undefined && expected !== accountId)
    throw new AwsError(403, 'AccessDenied', 'Access Denied');
};

/** Who did not sign may read objects, where the bucket allows it, and nothing else. */
const checkAnonymous = (request: CheckedRequest): void => {
  const isRead = ['GET', 'HEAD'].includes(request.method) && request.key !== '';
  if (request.signer === null && !isRead) throw new AwsError(403, 'AccessDenied', 'Access Denied');
};

const checkRegion = (bucket: Bucket, request: CheckedRequest): void => {
  const region = request.signer?.region ?? bucket.region;
  if (region !== bucket.region && !request.query.has('location'))
    throw new AwsError(
      400,
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${bucket.region}'`,
    );
};

/** Answers one request or throws an `AwsError`. */
export const route = (buckets: Buckets, request: CheckedRequest): S3Response => {
  checkAnonymous(request);
  checkOwner(request);
  if (request.bucket === '') return listBuckets(buckets, request);
  const hasSubResource = [...request.query.keys()].some((name) => !isParameter(name));
  if (request.key === '' && request.method === 'PUT' && !hasSubResource) return putBucket(buckets, request);
  const bucket = buckets.get(request.bucket);
  if (!bucket) throw new AwsError(404, 'NoSuchBucket', 'The specified bucket does not exist');
  checkRegion(bucket, request);
  return findOperation(request)(bucket, request, buckets);
};
