/** The S3 emulator with one bucket, and what most tests do to it. */
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll } from 'vitest';
import { type S3Emulator, startS3 } from '../support/aws/s3/start-s3.ts';
import type { Bucket as StoredBucket } from '../support/aws/s3/store.ts';
import { clientOf } from './s3-client.ts';

export const Bucket = 'files';

export interface S3Bench {
  readonly s3: S3Emulator;
  readonly client: S3Client;
  /** Forgets all buckets and requests, and begins with this one. */
  startAnew(): StoredBucket;
  put(Key: string, Body?: string | Buffer, rest?: object): Promise<PutObjectCommandOutput>;
  get(Key: string, rest?: object): Promise<GetObjectCommandOutput>;
  /** The text of an object. */
  read(Key: string, rest?: object): Promise<string | undefined>;
}

/** For a whole test file. */
export const openS3Bench = async (): Promise<S3Bench> => {
  const s3 = await startS3();
  const client = clientOf(s3);
  afterAll(async () => {
    client.destroy();
    await s3.stop();
  });
  const get: S3Bench['get'] = (Key, rest = {}) => client.send(new GetObjectCommand({ Bucket, Key, ...rest }));
  return {
    s3,
    client,
    startAnew: () => {
      s3.buckets.clear();
      s3.requests.length = 0;
      return s3.createBucket(Bucket);
    },
    put: (Key, Body = `body of ${Key}`, rest = {}) =>
      client.send(new PutObjectCommand({ Bucket, Key, Body, ...rest })),
    get,
    read: async (Key, rest) => (await get(Key, rest)).Body?.transformToString(),
  };
};
