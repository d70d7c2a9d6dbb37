import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Bucket as StoredBucket } from '../support/aws/s3/store.ts';
import { Bucket, openS3Bench } from './s3-bench.ts';
import { clientOf, refusalOf } from './s3-client.ts';

const megabyte = 1024 * 1024;

const { s3, client, startAnew, put, get, read } = await openS3Bench();
let bucket: StoredBucket;
beforeEach(() => {
  bucket = startAnew();
});

describe('buckets', () => {
  test('are created where the client is, listed, located and deleted when empty', async () => {
    const inEurope = clientOf(s3, 'eu-central-1');
    const LocationConstraint = 'eu-central-1';
    await inEurope.send(
      new CreateBucketCommand({ Bucket: 'europe', CreateBucketConfiguration: { LocationConstraint } }),
    );
    const { Buckets = [] } = await client.send(new ListBucketsCommand());
    expect(Buckets.map(({ Name }) => Name)).toEqual([Bucket, 'europe']);
    expect(Buckets[0]?.CreationDate).toEqual(bucket.created);
    const locate = async (name: string) =>
      (await client.send(new GetBucketLocationCommand({ Bucket: name }))).LocationConstraint;
    expect([await locate(Bucket), await locate('europe')]).toEqual([undefined, LocationConstraint]);
    await put('a');
    expect(await refusalOf(client.send(new DeleteBucketCommand({ Bucket })))).toBe('BucketNotEmpty 409');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
    await client.send(new DeleteBucketCommand({ Bucket }));
    expect(await refusalOf(client.send(new HeadBucketCommand({ Bucket })))).toBe('NotFound 404');
    expect(await refusalOf(put('a'))).toBe('NoSuchBucket 404');
    inEurope.destroy();
  });

  test('of one region refuse what was signed for another', async () => {
    s3.createBucket('europe', 'eu-central-1');
    const listing = client.send(new ListObjectsV2Command({ Bucket: 'europe' }));
    expect(await refusalOf(listing)).toBe('AuthorizationHeaderMalformed 400');
  });

  test('refuse another owner, and sub-resources that the emulator does not know', async () => {
    const ExpectedBucketOwner = '999999999999';
    expect(await refusalOf(put('a', 'x', { ExpectedBucketOwner }))).toBe('AccessDenied 403');
    await put('a', 'x', { ExpectedBucketOwner: '123456789012' });
    const tagging = client.send(new GetObjectTaggingCommand({ Bucket, Key: 'a' }));
    expect(await refusalOf(tagging)).toBe('NotImplemented 501');
  });
});

describe('objects', () => {
  test('come back as they went in, with their headers, an MD5 as ETag and their checksum', async () => {
    const Body = randomBytes(megabyte);
    const described = { ContentType: 'video/mp4', CacheControl: 'max-age=9', Metadata: { job: 'seven' } };
    const { ETag } = await put('a b/ü+(1).mp4', Body, described);
    const object = await get('a b/ü+(1).mp4', { ChecksumMode: 'ENABLED' });
    expect(object).toMatchObject({ ...described, ETag, ContentLength: megabyte, AcceptRanges: 'bytes' });
    expect(object.ChecksumCRC32).toHaveLength(8);
    expect(Body.equals((await object.Body?.transformToByteArray()) ?? Buffer.alloc(0))).toBe(true);
    expect(Body.equals(bucket.read('a b/ü+(1).mp4').body)).toBe(true);
    const head = await client.send(new HeadObjectCommand({ Bucket, Key: 'a b/ü+(1).mp4' }));
    expect(head).toMatchObject({ ...described, ETag, ContentLength: megabyte });
  });

  test('that are not there: NoSuchKey for GET, NotFound without a body for HEAD, nothing for DELETE', async () => {
    expect(await refusalOf(get('none'))).toBe('NoSuchKey 404');
    const head = client.send(new HeadObjectCommand({ Bucket, Key: 'none' }));
    expect(await refusalOf(head)).toBe('NotFound 404');
    await client.send(new DeleteObjectCommand({ Bucket, Key: 'none' }));
    expect(s3.requests.map(({ method, status, code }) => [method, status, code])).toEqual([
      ['GET', 404, 'NoSuchKey'],
      ['HEAD', 404, 'NoSuchKey'],
      ['DELETE', 204, null],
    ]);
  });

  test('are read by ranges', async () => {
    await put('a', '0123456789');
    const range = async (Range: string) => {
      const { Body, ContentRange } = await get('a', { Range });
      return [await Body?.transformToString(), ContentRange];
    };
    expect(await range('bytes=2-4')).toEqual(['234', 'bytes 2-4/10']);
    expect(await range('bytes=7-')).toEqual(['789', 'bytes 7-9/10']);
    expect(await range('bytes=-2')).toEqual(['89', 'bytes 8-9/10']);
    expect(await range('bytes=8-100')).toEqual(['89', 'bytes 8-9/10']);
    expect(await refusalOf(get('a', { Range: 'bytes=10-' }))).toBe('InvalidRange 416');
  });

  test('are written on condition, and read on condition', async () => {
    await put('a', 'first', { IfNoneMatch: '*' });
    expect(await refusalOf(put('a', 'second', { IfNoneMatch: '*' }))).toBe('PreconditionFailed 412');
    expect(await read('a')).toBe('first');
    const { ETag } = await get('a');
    await put('a', 'third', { IfMatch: ETag });
    expect(await refusalOf(put('a', 'fourth', { IfMatch: ETag }))).toBe('PreconditionFailed 412');
    expect(await refusalOf(get('a', { IfMatch: ETag }))).toBe('PreconditionFailed 412');
    const now = bucket.read('a').etag;
    expect(await refusalOf(get('a', { IfNoneMatch: now }))).toMatch(/304$/);
  });

  test('are copied with their headers, and deleted by the batch', async () => {
    await put('a &<b>', 'x', { ContentType: 'text/x' });
    await client.send(new CopyObjectCommand({ Bucket, Key: 'c', CopySource: `${Bucket}/a%20%26%3Cb%3E` }));
    expect((await get('c')).ContentType).toBe('text/x');
    const missing = client.send(new CopyObjectCommand({ Bucket, Key: 'd', CopySource: `${Bucket}/none` }));
    expect(await refusalOf(missing)).toBe('NoSuchKey 404');
    const Objects = ['a &<b>', 'none'].map((Key) => ({ Key }));
    const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    expect(Deleted).toEqual(Objects);
    expect(bucket.keys()).toEqual(['c']);
  });

  test('are listed in the order of their bytes, page by page, below a prefix, folded at a delimiter', async () => {
    for (const key of ['Z', 'b/2', 'b/1', 'a', 'b/é', 'b/c/1', 'b/c/2', 'z']) await put(key);
    const list = (rest: object) => client.send(new ListObjectsV2Command({ Bucket, ...rest }));
    const pages: (string | undefined)[][] = [];
    let ContinuationToken: string | undefined;
    do {
      const page = await list({ MaxKeys: 3, ContinuationToken });
      pages.push((page.Contents ?? []).map(({ Key }) => Key));
      ContinuationToken = page.NextContinuationToken;
    } while (ContinuationToken);
    expect(pages).toEqual([
      ['Z', 'a', 'b/1'],
      ['b/2', 'b/c/1', 'b/c/2'],
      ['b/é', 'z'],
    ]);
    const folded = await list({ Prefix: 'b/', Delimiter: '/' });
    expect(folded.Contents?.map(({ Key }) => Key)).toEqual(['b/1', 'b/2', 'b/é']);
    expect(folded.CommonPrefixes).toEqual([{ Prefix: 'b/c/' }]);
    expect((await list({ StartAfter: 'b/é' })).Contents).toMatchObject([
      { Key: 'z', Size: 9, ETag: bucket.read('z').etag, LastModified: bucket.read('z').lastModified },
    ]);
  });
});

describe('bodies', () => {
  test('of streams come in chunks with a checksum behind them', async () => {
    const Body = Readable.from([Buffer.alloc(70_000, 'a'), Buffer.alloc(9, 'b')]);
    await client.send(new PutObjectCommand({ Bucket, Key: 'a', Body, ContentLength: 70_009 }));
    expect(bucket.read('a').body.length).toBe(70_009);
    expect(bucket.read('a').headers['content-encoding']).toBeUndefined();
    expect(Object.keys(bucket.read('a').checksums)).toEqual(['crc32']);
  });

  test('that are not what their digest says are refused', async () => {
    expect(await refusalOf(put('a', 'x', { ChecksumCRC32: 'AAAAAA==' }))).toBe('BadDigest 400');
    expect(await refusalOf(put('a', 'x', { ContentMD5: 'AAAAAAAAAAAAAAAAAAAAAA==' }))).toBe('BadDigest 400');
    const altered = clientOf(s3);
    altered.middlewareStack.add(
      (next) => (args) => {
        if (typeof args.request === 'object') Object.assign(args.request ?? {}, { body: 'y' });
        return next(args);
      },
      { step: 'deserialize', name: 'alterAfterSigning' },
    );
    const sent = altered.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'x' }));
    expect(await refusalOf(sent)).toBe('XAmzContentSHA256Mismatch 400');
    expect(bucket.keys()).toEqual([]);
    altered.destroy();
  });
});

describe('multipart uploads', () => {
  const start = async (Key: string) =>
    (await client.send(new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'video/mp4' }))).UploadId;
  const part = async (Key: string, UploadId: string | undefined, PartNumber: number, Body: Buffer) => {
    const { ETag } = await client.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }));
    return { PartNumber, ETag };
  };

  test('of 64 MB arrive whole', async () => {
    const Body = randomBytes(64 * megabyte);
    const upload = new Upload({ client, params: { Bucket, Key: 'big', Body: Readable.from([Body]) } });
    const { ETag } = await upload.done();
    expect(ETag).toMatch(/^"[0-9a-f]{32}-13"$/);
    expect(bucket.read('big').body.equals(Body)).toBe(true);
  });

  test('put the named parts together, and on condition only', async () => {
    const UploadId = await start('a');
    const Parts = [
      await part('a', UploadId, 1, Buffer.alloc(5 * megabyte, 1)),
      await part('a', UploadId, 2, Buffer.from('end')),
    ];
    const { Parts: listed } = await client.send(new ListPartsCommand({ Bucket, Key: 'a', UploadId }));
    expect(listed?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 5 * megabyte],
      [2, 3],
    ]);
    const complete = (rest: object) =>
      client.send(new CompleteMultipartUploadCommand({ Bucket, Key: 'a', UploadId, ...rest }));
    await put('a', 'in the way');
    const MultipartUpload = { Parts };
    expect(await refusalOf(complete({ MultipartUpload, IfNoneMatch: '*' }))).toBe('PreconditionFailed 412');
    const backwards = { MultipartUpload: { Parts: Parts.toReversed() } };
    expect(await refusalOf(complete(backwards))).toBe('InvalidPartOrder 400');
    const foreign = { MultipartUpload: { Parts: [{ PartNumber: 1, ETag: Parts[1]?.ETag }] } };
    expect(await refusalOf(complete(foreign))).toBe('InvalidPart 400');
    await complete({ MultipartUpload });
    expect(bucket.read('a').body.length).toBe(5 * megabyte + 3);
    expect(bucket.read('a').headers['content-type']).toBe('video/mp4');
    expect(bucket.uploads.size).toBe(0);
  });

  test('refuse small parts in the middle, and end when they are aborted', async () => {
    const UploadId = await start('a');
    const Parts = [
      await part('a', UploadId, 1, Buffer.from('x')),
      await part('a', UploadId, 2, Buffer.from('y')),
    ];
    const completion = client.send(
      new CompleteMultipartUploadCommand({ Bucket, Key: 'a', UploadId, MultipartUpload: { Parts } }),
    );
    expect(await refusalOf(completion)).toBe('EntityTooSmall 400');
    const abort = () => client.send(new AbortMultipartUploadCommand({ Bucket, Key: 'a', UploadId }));
    await abort();
    expect(await refusalOf(abort())).toBe('NoSuchUpload 404');
    expect(await refusalOf(part('a', UploadId, 3, Buffer.from('z')))).toBe('NoSuchUpload 404');
  });

  test('that are open are listed with the time at which they began', async () => {
    const ids = [await start('b'), await start('a'), await start('c')];
    const initiated = new Date('2026-01-02T03:04:05.000Z');
    for (const upload of bucket.uploads.values()) upload.initiated = initiated;
    const list = (rest: object) => client.send(new ListMultipartUploadsCommand({ Bucket, ...rest }));
    const { Uploads = [], ...first } = await list({ MaxUploads: 2 });
    expect(Uploads.map(({ Key, UploadId, Initiated }) => ({ Key, UploadId, Initiated }))).toEqual([
      { Key: 'a', UploadId: ids[1], Initiated: initiated },
      { Key: 'b', UploadId: ids[0], Initiated: initiated },
    ]);
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = first;
    expect((await list({ KeyMarker, UploadIdMarker })).Uploads).toMatchObject([{ Key: 'c' }]);
    expect((await list({ Prefix: 'b' })).Uploads).toMatchObject([{ Key: 'b' }]);
  });
});
