import { AwsError } from '../aws-error.ts';
import { readXml } from '../xml.ts';
import { xmlResponse } from './bucket-operations.ts';
import { parseRange } from './byte-range.ts';
import { mayReadAnonymously } from './may-read.ts';
import { aclOf, objectHeadersOf, overridesOf, storageClassOf } from './object-headers.ts';
import { type CheckedRequest, header, type S3Response } from './request.ts';
import { type Bucket, type Buckets, etagOf, type StoredObject } from './store.ts';

const preconditionFailed = (): AwsError =>
  new AwsError(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');

/** `If-None-Match: *` writes new keys only, `If-Match` replaces the named version only. */
export const checkWriteConditions = (bucket: Bucket, request: CheckedRequest): void => {
  const there = bucket.objects.get(request.key);
  const [ifMatch, ifNoneMatch] = [header(request, 'if-match'), header(request, 'if-none-match')];
  if (ifNoneMatch !== undefined && ifNoneMatch !== '*')
    throw new AwsError(501, 'NotImplemented', 'If-None-Match takes * only when something is written.');
  if (ifNoneMatch === '*' && there) throw preconditionFailed();
  if (ifMatch !== undefined && !there) throw noSuchKey();
  if (ifMatch !== undefined && there?.etag !== ifMatch) throw preconditionFailed();
};

const noSuchKey = (): AwsError => new AwsError(404, 'NoSuchKey', 'The specified key does not exist.');

export const putObject = (bucket: Bucket, request: CheckedRequest): S3Response => {
  checkWriteConditions(bucket, request);
  const { body, checksums } = request;
  const etag = etagOf(body);
  bucket.objects.set(request.key, {
    body,
    etag,
    checksums,
    lastModified: new Date(),
    headers: objectHeadersOf(request),
    acl: aclOf(bucket, request),
    storageClass: storageClassOf(request),
  });
  return { status: 200, headers: { etag, ...checksumHeaders(checksums) } };
};

const checksumHeaders = (checksums: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(checksums).map(([algorithm, value]) => [`x-amz-checksum-${algorithm}`, value]),
  );

/** True: the caller has it already (304). Throws 412 where it is not the version that was asked for. */
const isNotModified = (object: StoredObject, request: CheckedRequest): boolean => {
  const ifMatch = header(request, 'if-match');
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== object.etag) throw preconditionFailed();
  const ifNoneMatch = header(request, 'if-none-match');
  if (ifNoneMatch !== undefined) return ifNoneMatch === '*' || ifNoneMatch === object.etag;
  const since = Date.parse(header(request, 'if-modified-since') ?? '');
  return Math.floor(object.lastModified.getTime() / 1000) * 1000 <= since;
};

const findReadable = (bucket: Bucket, request: CheckedRequest): StoredObject => {
  // Who may not read does not learn whether the key exists.
  if (request.signer === null && !mayReadAnonymously(bucket, request.key))
    throw new AwsError(403, 'AccessDenied', 'Access Denied');
  const object = bucket.objects.get(request.key);
  if (!object) throw request.signer ? noSuchKey() : new AwsError(403, 'AccessDenied', 'Access Denied');
  return object;
};

/** GET and HEAD. */
export const getObject = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const object = findReadable(bucket, request);
  const overrides = overridesOf(request);
  const { body, etag, lastModified } = object;
  const common = { etag, 'last-modified': lastModified.toUTCString(), 'accept-ranges': 'bytes' };
  if (isNotModified(object, request)) return { status: 304, headers: common };
  const range = parseRange(header(request, 'range'), body.length);
  const wantsChecksum = header(request, 'x-amz-checksum-mode') === 'ENABLED' && range === null;
  const headers = {
    ...common,
    ...object.headers,
    ...(object.storageClass === 'STANDARD' ? {} : { 'x-amz-storage-class': object.storageClass }),
    ...(wantsChecksum ? checksumHeaders(object.checksums) : {}),
    ...overrides,
  };
  if (range === null) return { status: 200, headers, body };
  const [first, last] = range;
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${first}-${last}/${body.length}` },
    body: body.subarray(first, last + 1),
  };
};

export const deleteObject = (bucket: Bucket, request: CheckedRequest): S3Response => {
  bucket.objects.delete(request.key);
  return { status: 204 };
};

const mostAtOnce = 1000;

/** The batch: keys that are not there count as deleted. */
export const deleteObjects = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const hasDigest = header(request, 'content-md5') !== undefined || Object.keys(request.checksums).length > 0;
  if (!hasDigest)
    throw new AwsError(400, 'InvalidRequest', 'Missing required header for this request: Content-MD5');
  const document = request.body.toString();
  const keys = readXml(document, 'Key');
  if (keys.length === 0 || keys.length > mostAtOnce)
    throw new AwsError(400, 'MalformedXML', 'The XML you provided was not well-formed');
  for (const key of keys) bucket.objects.delete(key);
  const isQuiet = readXml(document, 'Quiet')[0] === 'true';
  return xmlResponse('DeleteResult', { Deleted: isQuiet ? [] : keys.map((Key) => ({ Key })) });
};

const sourceOf = (buckets: Buckets, request: CheckedRequest): StoredObject => {
  const [path = ''] = (header(request, 'x-amz-copy-source') ?? '').split('?');
  const [name = '', ...key] = path.replace(/^\//, '').split('/');
  const bucket = buckets.get(decodeURIComponent(name));
  if (!bucket) throw new AwsError(404, 'NoSuchBucket', 'The specified bucket does not exist');
  const object = bucket.objects.get(decodeURIComponent(key.join('/')));
  if (!object) throw noSuchKey();
  return object;
};

export const copyObject = (buckets: Buckets, bucket: Bucket, request: CheckedRequest): S3Response => {
  const source = sourceOf(buckets, request);
  const ifMatch = header(request, 'x-amz-copy-source-if-match');
  if (ifMatch !== undefined && ifMatch !== source.etag) throw preconditionFailed();
  checkWriteConditions(bucket, request);
  const isReplaced = header(request, 'x-amz-metadata-directive') === 'REPLACE';
  if (bucket.objects.get(request.key) === source && !isReplaced)
    throw new AwsError(
      400,
      'InvalidRequest',
      'This copy request is illegal because it is trying to copy an object to itself without changing anything.',
    );
  const lastModified = new Date();
  const etag = etagOf(source.body);
  bucket.objects.set(request.key, {
    ...source,
    etag,
    lastModified,
    headers: isReplaced ? objectHeadersOf(request) : source.headers,
    acl: aclOf(bucket, request),
    storageClass: storageClassOf(request),
  });
  return xmlResponse('CopyObjectResult', { ETag: etag, LastModified: lastModified });
};
