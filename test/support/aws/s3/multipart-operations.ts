import { accountId } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { readXml } from '../xml.ts';
import { xmlResponse } from './bucket-operations.ts';
import { readLimit } from './list-objects.ts';
import { aclOf, objectHeadersOf, storageClassOf } from './object-headers.ts';
import { checkWriteConditions } from './object-operations.ts';
import type { CheckedRequest, S3Response } from './request.ts';
import { type Bucket, createUpload, etagOf, etagOfParts, type StoredPart, type Upload } from './store.ts';

const smallestPartBytes = 5 * 1024 * 1024;
const owner = { ID: accountId, DisplayName: 'rendermill' };

const findUpload = (bucket: Bucket, request: CheckedRequest): Upload => {
  const upload = bucket.uploads.get(request.query.get('uploadId') ?? '');
  if (upload?.key !== request.key)
    throw new AwsError(
      404,
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    );
  return upload;
};

export const createMultipartUpload = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const upload = createUpload({
    key: request.key,
    headers: objectHeadersOf(request),
    acl: aclOf(bucket, request),
    storageClass: storageClassOf(request),
  });
  bucket.uploads.set(upload.id, upload);
  return xmlResponse('InitiateMultipartUploadResult', {
    Bucket: bucket.name,
    Key: request.key,
    UploadId: upload.id,
  });
};

export const uploadPart = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const upload = findUpload(bucket, request);
  const number = Number(request.query.get('partNumber'));
  if (!(Number.isInteger(number) && number >= 1 && number <= 10_000))
    throw new AwsError(
      400,
      'InvalidArgument',
      'Part number must be an integer between 1 and 10000, inclusive',
    );
  const etag = etagOf(request.body);
  upload.parts.set(number, { body: request.body, etag, lastModified: new Date() });
  return { status: 200, headers: { etag } };
};

const chosenParts = (upload: Upload, document: string): StoredPart[] => {
  const numbers = readXml(document, 'PartNumber').map(Number);
  const etags = readXml(document, 'ETag').map((etag) => etag.replaceAll('"', ''));
  if (numbers.length === 0)
    throw new AwsError(400, 'MalformedXML', 'The XML you provided was not well-formed');
  if (numbers.some((number, index) => index > 0 && number <= (numbers[index - 1] ?? 0)))
    throw new AwsError(400, 'InvalidPartOrder', 'The list of parts was not in ascending order.');
  const parts = numbers.map((number, index) => {
    const part = upload.parts.get(number);
    if (!part || part.etag !== `"${etags[index]}"`)
      throw new AwsError(400, 'InvalidPart', 'One or more of the specified parts could not be found.');
    return part;
  });
  if (parts.slice(0, -1).some((part) => part.body.length < smallestPartBytes))
    throw new AwsError(
      400,
      'EntityTooSmall',
      'Your proposed upload is smaller than the minimum allowed size',
    );
  return parts;
};

/** An upload that fails its condition stays open: its owner has to abort it. */
export const completeMultipartUpload = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const upload = findUpload(bucket, request);
  const parts = chosenParts(upload, request.body.toString());
  checkWriteConditions(bucket, request);
  const etag = etagOfParts(parts);
  bucket.objects.set(request.key, {
    body: Buffer.concat(parts.map((part) => part.body)),
    etag,
    checksums: {},
    lastModified: new Date(),
    headers: upload.headers,
    acl: upload.acl,
    storageClass: upload.storageClass,
  });
  bucket.uploads.delete(upload.id);
  return xmlResponse('CompleteMultipartUploadResult', {
    Location: `/${bucket.name}/${request.key}`,
    Bucket: bucket.name,
    Key: request.key,
    ETag: etag,
  });
};

export const abortMultipartUpload = (bucket: Bucket, request: CheckedRequest): S3Response => {
  bucket.uploads.delete(findUpload(bucket, request).id);
  return { status: 204 };
};

export const listParts = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const upload = findUpload(bucket, request);
  const after = Number(request.query.get('part-number-marker') ?? 0);
  const limit = readLimit(request.query.get('max-parts'));
  const parts = [...upload.parts].filter(([number]) => number > after).sort(([one], [other]) => one - other);
  const page = parts.slice(0, limit);
  return xmlResponse('ListPartsResult', {
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.id,
    NextPartNumberMarker: page.at(-1)?.[0] ?? null,
    MaxParts: limit,
    IsTruncated: parts.length > page.length,
    Part: page.map(([number, part]) => ({
      PartNumber: number,
      LastModified: part.lastModified,
      ETag: part.etag,
      Size: part.body.length,
    })),
    Initiator: owner,
    Owner: owner,
    StorageClass: upload.storageClass,
  });
};

/** By key, then by age. */
const compareUploads = (one: Upload, other: Upload): number =>
  Buffer.compare(Buffer.from(one.key), Buffer.from(other.key)) ||
  one.initiated.getTime() - other.initiated.getTime();

export const listMultipartUploads = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const limit = readLimit(query.get('max-uploads'));
  const all = [...bucket.uploads.values()].filter(({ key }) => key.startsWith(prefix)).sort(compareUploads);
  const [keyMarker, idMarker] = [query.get('key-marker'), query.get('upload-id-marker')];
  const marker = all.findIndex(({ key, id }) => key === keyMarker && id === idMarker);
  const rest = marker < 0 ? all.filter(({ key }) => key > (keyMarker ?? '')) : all.slice(marker + 1);
  const page = rest.slice(0, limit);
  const last = rest.length > page.length ? page.at(-1) : undefined;
  return xmlResponse('ListMultipartUploadsResult', {
    Bucket: bucket.name,
    Prefix: prefix,
    KeyMarker: keyMarker ?? '',
    UploadIdMarker: idMarker ?? '',
    NextKeyMarker: last?.key ?? null,
    NextUploadIdMarker: last?.id ?? null,
    MaxUploads: limit,
    IsTruncated: last !== undefined,
    Upload: page.map(({ key, id, initiated, storageClass }) => ({
      Key: key,
      UploadId: id,
      Initiator: owner,
      Owner: owner,
      StorageClass: storageClass,
      Initiated: initiated,
    })),
  });
};
