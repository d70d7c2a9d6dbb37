import { request as httpRequest } from 'node:http';
import {
  DeleteBucketOwnershipControlsCommand,
  DeletePublicAccessBlockCommand,
  GetBucketPolicyCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutBucketAclCommand,
  PutBucketPolicyCommand,
} from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Bucket as StoredBucket } from '../support/aws/s3/store.ts';
import { Bucket, openS3Bench } from './s3-bench.ts';
import { clientOf, refusalOf } from './s3-client.ts';

const megabyte = 1024 * 1024;

const { s3, client, startAnew, put, read } = await openS3Bench();
let bucket: StoredBucket;
beforeEach(() => {
  bucket = startAnew();
});

describe('access', () => {
  const presign = (Key: string, expiresIn: number, rest = {}) =>
    getSignedUrl(client, new GetObjectCommand({ Bucket, Key, ...rest }), { expiresIn });
  const codeIn = async (response: Response) =>
    `${response.status} ${/<Code>(\w+)/.exec(await response.text())?.[1]}`;

  test('needs the right key and the right secret', async () => {
    const stranger = clientOf(s3, 'us-east-1', 'wrong');
    const command = new ListBucketsCommand();
    expect(await refusalOf(stranger.send(command))).toBe('SignatureDoesNotMatch 403');
    const unknown = clientOf({ ...s3, credentials: { ...s3.credentials, accessKeyId: 'AKIANOBODY' } });
    expect(await refusalOf(unknown.send(command))).toBe('InvalidAccessKeyId 403');
    for (const one of [stranger, unknown]) one.destroy();
  });

  test('by a presigned URL serves ranges and other headers, until it expires', async () => {
    await put('a b.mp4', '0123456789', { ContentType: 'video/mp4' });
    const ResponseContentDisposition = "attachment; filename*=UTF-8''%C3%BC.mp4";
    const url = await presign('a b.mp4', 60, { ResponseContentDisposition, ResponseContentType: 'x/y' });
    const response = await fetch(url, { headers: { range: 'bytes=0-3' } });
    expect([response.status, await response.text()]).toEqual([206, '0123']);
    expect(response.headers.get('content-type')).toBe('x/y');
    expect(response.headers.get('content-disposition')).toBe(ResponseContentDisposition);
    const outOfRange = await presign('a b.mp4', 60, {
      ResponseContentDisposition: 'attachment; filename="→"',
    });
    expect(await codeIn(await fetch(outOfRange))).toBe('400 InvalidArgument');
    expect(await codeIn(await fetch(url.replace('response-content-type=x', 'response-content-type=z')))).toBe(
      '403 SignatureDoesNotMatch',
    );
    expect(await codeIn(await fetch(url, { method: 'DELETE' }))).toBe('403 SignatureDoesNotMatch');
    const signingDate = new Date(Date.now() - 61_000);
    const expired = await getSignedUrl(client, new GetObjectCommand({ Bucket, Key: 'a b.mp4' }), {
      expiresIn: 60,
      signingDate,
    });
    expect(await codeIn(await fetch(expired))).toBe('403 AccessDenied');
  });

  test('is open to nobody, until the bucket is made public in the three steps that S3 wants', async () => {
    await put('sites/a');
    await put('private/a');
    const status = async (key: string) => (await fetch(`${s3.url}/${Bucket}/${key}`)).status;
    const Resource = [`arn:aws:s3:::${Bucket}/sites/*`];
    const statement = { Effect: 'Allow', Principal: '*', Action: ['s3:GetObject'], Resource };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    const setPolicy = () => client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    expect(await status('sites/a')).toBe(403);
    expect(await refusalOf(setPolicy())).toBe('AccessDenied 403');
    expect(await refusalOf(client.send(new GetBucketPolicyCommand({ Bucket })))).toBe(
      'NoSuchBucketPolicy 404',
    );
    await client.send(new DeletePublicAccessBlockCommand({ Bucket }));
    await setPolicy();
    expect([await status('sites/a'), await status('private/a'), await status('sites/none')]).toEqual([
      200, 403, 403,
    ]);
    const setAcl = () => client.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' }));
    expect(await refusalOf(setAcl())).toBe('AccessControlListNotSupported 400');
    expect(await refusalOf(put('b', 'x', { ACL: 'public-read' }))).toBe('AccessControlListNotSupported 400');
    await client.send(new DeleteBucketOwnershipControlsCommand({ Bucket }));
    await setAcl();
    await put('b', 'x', { ACL: 'public-read' });
    expect([await status('b'), await status('private/a')]).toEqual([200, 403]);
    expect((await fetch(`${s3.url}/${Bucket}/b`, { method: 'PUT', body: 'z' })).status).toBe(403);
  });

  test('to a bucket at the root of its own listener is the same', async () => {
    await put('sites/a/index.html', '<p>', { ContentType: 'text/html' });
    const root = await s3.serveBucketAtRoot(Bucket);
    expect((await fetch(`${root}/sites/a/index.html`)).status).toBe(403);
    bucket.settings.clear();
    bucket.objects.set('sites/a/index.html', { ...bucket.read('sites/a/index.html'), acl: 'public-read' });
    const response = await fetch(`${root}/sites/a/index.html`);
    expect([response.headers.get('content-type'), await response.text()]).toEqual(['text/html', '<p>']);
  });
});

describe('faults', () => {
  test('happen as often as they shall, and are then gone', async () => {
    s3.faults.push(
      {
        match: ({ method, key }) => method === 'PUT' && key === 'a',
        times: 2,
        status: 503,
        code: 'SlowDown',
      },
      { match: ({ key }) => key === 'b', reset: true },
      { match: ({ key }) => key === 'c', delayMs: 1 },
    );
    expect(await refusalOf(put('a'))).toBe('SlowDown 503');
    expect(await refusalOf(put('a', Buffer.alloc(megabyte)))).toBe('SlowDown 503');
    await put('a');
    expect(await refusalOf(put('b'))).toMatch(/ECONNRESET|TimeoutError|Error/);
    await put('b');
    await put('c');
    expect(s3.faults).toEqual([]);
    expect(s3.requests.map(({ key, status }) => `${key} ${status}`)).toEqual([
      'a 503',
      'a 503',
      'a 200',
      'b 0',
      'b 200',
      'c 200',
    ]);
  });

  test('cut an answer in its middle', async () => {
    await put('a', Buffer.alloc(megabyte));
    s3.faults.push({ match: ({ method }) => method === 'GET', cutAfterBytes: 1000 });
    expect(await refusalOf(read('a'))).not.toBe('nothing thrown');
    expect(await read('a')).toHaveLength(megabyte);
  });
});

test('a key may have dots that a URL would fold', async () => {
  await put('real', 'x');
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const { hostname, port } = new URL(s3.url);
    const sent = httpRequest({ hostname, port, path: `/${Bucket}/none/../real` }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sent.once('error', reject).end();
  });
  expect(status).toBe(403);
  expect(s3.requests.at(-1)?.key).toBe('none/../real');
});
