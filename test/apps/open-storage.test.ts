import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkStorage } from '../../src/apps/cli/doctor/check-storage.ts';
import { openStorage, placeOfFiles } from '../../src/apps/open-storage.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { createLifecycle } from '../../src/platform/lifecycle/lifecycle.ts';
import { type S3Emulator, startS3 } from '../support/aws/s3/start-s3.ts';
import { silentLog } from '../support/factories.ts';

let s3: S3Emulator;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'rendermill-open-storage-'));
  s3 = await startS3();
  s3.createBucket('files');
});
afterAll(async () => {
  await s3.stop();
  await rm(home, { recursive: true });
});

const configOf = (more: Record<string, string> = {}) => loadConfig({ RENDERMILL_HOME: home, ...more });
const bucketConfig = (more: Record<string, string> = {}) =>
  configOf({
    S3_BUCKET: 'files',
    S3_PREFIX: 'team/',
    S3_ENDPOINT: s3.url,
    S3_FORCE_PATH_STYLE: 'true',
    S3_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    ...more,
  });
const open = async (config: ReturnType<typeof configOf>) => {
  const lifecycle = createLifecycle({ log: silentLog, deadlineMs: 5_000 });
  return { lifecycle, storage: await openStorage({ config, log: silentLog, lifecycle }) };
};

test('the files lie in a folder where no bucket is named', async () => {
  const config = configOf();
  const { storage } = await open(config);
  expect([storage.kind, placeOfFiles(config)]).toEqual(['folder', join(home, 'storage')]);
  expect(await storage.presign('a', { expiresInSeconds: 1, disposition: '', mediaType: '' })).toBeNull();
});

test('the files lie in the bucket that is named, below its prefix', async () => {
  const config = bucketConfig();
  const { storage, lifecycle } = await open(config);
  expect([storage.kind, placeOfFiles(config)]).toEqual(['s3', 's3://files/team/']);
  await storage.put('a/b', Readable.from(['x']));
  expect(s3.buckets.get('files')?.keys()).toEqual(['team/a/b']);
  expect(await text(await storage.read('a/b'))).toBe('x');
  await lifecycle.stop('the test is over');
});

test('a bucket that cannot be used ends the start with a sentence that helps', async () => {
  await expect(open(bucketConfig({ S3_BUCKET: 'nowhere' }))).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringMatching(/nowhere.*correct S3_BUCKET/),
  });
  await expect(open(bucketConfig({ S3_SECRET_ACCESS_KEY: 'wrong' }))).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: expect.stringContaining('S3_SECRET_ACCESS_KEY'),
  });
});

test('the doctor looks at the bucket by writing and deleting, and leaves nothing behind', async () => {
  const before = s3.buckets.get('files')?.keys();
  expect(await checkStorage(bucketConfig())).toEqual({
    name: 'storage',
    status: 'ok',
    found: 's3://files/team/',
  });
  expect(s3.buckets.get('files')?.keys()).toEqual(before);
  expect(await checkStorage(bucketConfig({ S3_BUCKET: 'nowhere' }))).toMatchObject({
    status: 'missing',
    found: expect.stringContaining('nowhere'),
  });
  const isWrite = ({ method }: { method: string }) => method === 'PUT';
  s3.faults.push({ match: isWrite, times: 9, status: 403, code: 'AccessDenied' });
  expect(await checkStorage(bucketConfig())).toMatchObject({ status: 'missing' });
  s3.faults.length = 0;
});
