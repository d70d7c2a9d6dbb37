import { AwsError } from '../aws-error.ts';
import { xmlResponse } from './bucket-operations.ts';
import type { CheckedRequest, S3Response } from './request.ts';
import type { Bucket } from './store.ts';

type Entry = { readonly key: string } | { readonly commonPrefix: string };

const nameOf = (entry: Entry): string => ('key' in entry ? entry.key : entry.commonPrefix);

/** Keys below a common prefix count as one entry. */
const entriesOf = (keys: readonly string[], prefix: string, delimiter: string): Entry[] => {
  if (delimiter === '') return keys.map((key) => ({ key }));
  const seen = new Set<string>();
  return keys.flatMap((key): Entry[] => {
    const at = key.indexOf(delimiter, prefix.length);
    if (at < 0) return [{ key }];
    const commonPrefix = key.slice(0, at + delimiter.length);
    if (seen.has(commonPrefix)) return [];
    seen.add(commonPrefix);
    return [{ commonPrefix }];
  });
};

const isAfter = (one: string, other: string): boolean =>
  Buffer.compare(Buffer.from(one), Buffer.from(other)) > 0;

const decodeToken = (token: string): string => Buffer.from(token, 'base64url').toString();
const encodeToken = (name: string): string => Buffer.from(name).toString('base64url');

const largestPage = 1000;

export const readLimit = (text: string | null): number => {
  const limit = text === null ? largestPage : Number(text);
  if (!Number.isInteger(limit) || limit < 0)
    throw new AwsError(400, 'InvalidArgument', 'Provided max-keys not an integer or within integer range');
  return Math.min(limit, largestPage);
};

export const listObjects = (bucket: Bucket, request: CheckedRequest): S3Response => {
  const { query } = request;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const token = query.get('continuation-token');
  const after = token === null ? (query.get('start-after') ?? '') : decodeToken(token);
  const limit = readLimit(query.get('max-keys'));
  const entries = entriesOf(bucket.keys(prefix), prefix, delimiter).filter((entry) =>
    isAfter(nameOf(entry), after),
  );
  const page = entries.slice(0, limit);
  const isTruncated = limit > 0 && entries.length > limit;
  const last = page.at(-1);
  const written = (name: string): string =>
    query.get('encoding-type') === 'url' ? encodeURIComponent(name) : name;
  return xmlResponse('ListBucketResult', {
    Name: bucket.name,
    Prefix: written(prefix),
    Delimiter: delimiter === '' ? null : written(delimiter),
    StartAfter: query.get('start-after'),
    ContinuationToken: token,
    NextContinuationToken: isTruncated && last ? encodeToken(nameOf(last)) : null,
    EncodingType: query.get('encoding-type'),
    KeyCount: page.length,
    MaxKeys: limit,
    IsTruncated: isTruncated,
    Contents: page.flatMap((entry) => ('key' in entry ? [describe(bucket, entry.key, written)] : [])),
    CommonPrefixes: page.flatMap((entry) =>
      'key' in entry ? [] : [{ Prefix: written(entry.commonPrefix) }],
    ),
  });
};

const describe = (bucket: Bucket, key: string, written: (name: string) => string) => {
  const { lastModified, etag, body, storageClass } = bucket.read(key);
  return {
    Key: written(key),
    LastModified: lastModified,
    ETag: etag,
    Size: body.length,
    StorageClass: storageClass,
  };
};
