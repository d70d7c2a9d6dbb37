import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type S3Emulator, startS3 } from '../../support/aws/s3/start-s3.ts';

const script = fileURLToPath(new URL('./stream-in-child.ts', import.meta.url));
const megabyte = 1024 * 1024;
let s3: S3Emulator;

beforeAll(async () => {
  s3 = await startS3();
  s3.createBucket('memory');
});
afterAll(() => s3.stop());

it('streams an object up and down in memory that its size does not decide', async () => {
  const { accessKeyId, secretAccessKey } = s3.credentials;
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx', script],
    ...[s3.url, '192', accessKeyId, secretAccessKey],
  ]);
  const { grownMb, ...sizes } = JSON.parse(stdout);
  expect(sizes).toEqual({ sizeInBytes: 192 * megabyte, received: 192 * megabyte });
  // Three parts of 8 MB on their way, one that is cut, and what the collector has not looked at yet; about 100.
  expect(grownMb).toBeLessThan(150);
}, 120_000);
