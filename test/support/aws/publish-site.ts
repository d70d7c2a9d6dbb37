import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import {
  DeleteBucketOwnershipControlsCommand,
  DeletePublicAccessBlockCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import type { AwsEmulator } from './start-aws.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wav': 'audio/wav',
  '.mp3': 'audio/mpeg',
  '.woff2': 'font/woff2',
};

const filesIn = async (folder: string): Promise<string[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
};

/** As Remotion needs it: it writes with ACLs. Nobody may read anything but what is below `sites/`. */
const prepareBucket = async (client: S3Client, bucket: string): Promise<void> => {
  const Resource = `arn:aws:s3:::${bucket}/sites/*`;
  const statement = { Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource };
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await client.send(new DeleteBucketOwnershipControlsCommand({ Bucket: bucket }));
  await client.send(new DeletePublicAccessBlockCommand({ Bucket: bucket }));
  await client.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }));
};

/**
 * Puts a bundle's folder below `sites/<name>/` of a bucket (made where it is missing, its sites public, all else private) and gives the
 * address that a function opens it at.
 */
export const publishSite = async (
  { s3, region }: AwsEmulator,
  bucket: string,
  name: string,
  folder: string,
): Promise<string> => {
  if (!s3.buckets.has(bucket)) s3.createBucket(bucket, region);
  const client = new S3Client({ region, endpoint: s3.url, credentials: s3.credentials });
  try {
    await prepareBucket(client, bucket);
    const put = async (path: string): Promise<unknown> => {
      const Key = `sites/${name}/${relative(folder, path).split(sep).join('/')}`;
      const ContentType = contentTypes[extname(path)] ?? 'application/octet-stream';
      return client.send(
        new PutObjectCommand({ Bucket: bucket, Key, ContentType, Body: await readFile(path) }),
      );
    };
    await Promise.all((await filesIn(folder)).map(put));
  } finally {
    client.destroy();
  }
  return `${await s3.serveBucketAtRoot(bucket)}/sites/${name}/index.html`;
};
