import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { measureBucket, removeBucket } from '../../../src/platform/aws/remove-bucket.ts';
import { listSites, removeSite } from '../../../src/platform/aws/sites.ts';
import type { Bucket } from '../../support/aws/s3/store.ts';
import { type LocalAws, startLocalAws } from './local-aws.ts';

const region = 'us-east-1';
const name = 'remotionlambda-useast1-sites';

let aws: LocalAws;
let bucket: Bucket;
beforeAll(async () => {
  aws = await startLocalAws();
});
afterAll(() => aws.stop());
beforeEach(() => {
  bucket = aws.s3.createBucket(name);
});

const put = (key: string, text = 'x', lastModified = new Date('2026-01-01')) =>
  void bucket.objects.set(key, {
    body: Buffer.from(text),
    etag: '"0"',
    lastModified,
    headers: {},
    acl: 'private',
    storageClass: 'STANDARD',
    checksums: {},
  });

it('lists sites with their files, sizes and times, however many files they have', async () => {
  put('sites/b/index.html', 'page', new Date('2026-02-02'));
  for (let file = 0; file < 1_500; file++) put(`sites/a/${file}.js`, 'xx');
  put('sites/b/bundle.js', 'script', new Date('2026-02-01'));
  put('renders/r/progress.json');
  expect(await listSites(region, name)).toEqual([
    { name: 'a', files: 1_500, sizeInBytes: 3_000, uploadedAt: new Date('2026-01-01') },
    { name: 'b', files: 2, sizeInBytes: 10, uploadedAt: new Date('2026-02-02') },
  ]);
});

it('removes one site and no other whose name begins like it', async () => {
  for (let file = 0; file < 1_500; file++) put(`sites/a/${file}.js`);
  put('sites/a/index.html');
  put('sites/ab/index.html');
  expect(await removeSite(region, name, 'a')).toBe(1_501);
  expect(bucket.keys()).toEqual(['sites/ab/index.html']);
});

it('removes the page first, so that a site that is left half is not taken for a whole one', async () => {
  put('sites/a/index.html');
  put('sites/a/bundle.js');
  let deletions = 0;
  aws.s3.faults.push({
    match: ({ method, query }) => method === 'POST' && query.has('delete') && ++deletions > 1,
    times: 1,
    status: 403,
    code: 'AccessDenied',
  });
  await expect(removeSite(region, name, 'a')).rejects.toMatchObject({ code: 'lambda_misconfigured' });
  expect(bucket.keys()).toEqual(['sites/a/bundle.js']);
});

it('measures a bucket, and removes it with all that is in it', async () => {
  for (let file = 0; file < 1_200; file++) put(`renders/${file}`, 'abc');
  expect(await measureBucket(region, name)).toEqual({ objects: 1_200, sizeInBytes: 3_600 });
  await removeBucket(region, name);
  expect(aws.s3.buckets.has(name)).toBe(false);
});

it('misses a bucket that there is not', async () => {
  await expect(listSites(region, 'remotionlambda-none')).rejects.toMatchObject({
    code: 'lambda_misconfigured',
    message: expect.stringContaining('LAMBDA_BUCKET'),
  });
});
