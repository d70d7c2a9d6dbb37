/** Storage in a bucket of S3, or of any store that speaks its language. */
import { createReadStream } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { DeleteObjectCommand, GetObjectCommand } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { systemClock } from '../../clock/clock.ts';
import type { PresignOptions, Storage } from '../contract.ts';
import { assertReadableKey, assertStorageKey, readPrefix } from '../key.ts';
import { owning } from '../owning.ts';
import { type Bucket, openBucket, placeOf, type S3Options } from './bucket.ts';
import { checkBucket } from './check-bucket.ts';
import { listObjects } from './list-objects.ts';
import { putNewObject, putObject } from './put-object.ts';
import { readObject, statObject } from './read-object.ts';
import { explained } from './s3-errors.ts';
import { sweepUploads } from './sweep-uploads.ts';

export interface S3Storage extends Storage {
  readonly kind: 's3';
  /** Ends the connections, those of running reads too. */
  close(): void;
}

/** Rejects with `storage_unavailable` where the store is not reached, or refuses, after some attempts. */
export const createS3Storage = (options: S3Options): S3Storage => {
  const bucket = openBucket(options);
  return {
    kind: 's3',
    check: () => checkBucket(bucket, options),
    close: () => bucket.client.destroy(),
    putFile: async (key, path) => {
      assertStorageKey(key);
      const body = createReadStream(path, { highWaterMark: readBytes });
      const written = await owning(body, () => putObject(bucket, key, body));
      await unlink(path);
      return written;
    },
    put: (key, body) =>
      owning(body, async () => {
        assertStorageKey(key);
        return putObject(bucket, key, body);
      }),
    putIfAbsent: (key, body) =>
      owning(body, async () => {
        assertStorageKey(key);
        if (await statObject(bucket, key)) return false;
        return putNewObject(bucket, key, body);
      }),
    read: async (key, range) => {
      assertReadableKey(key);
      return readObject(bucket, key, range);
    },
    stat: async (key) => {
      assertReadableKey(key);
      return statObject(bucket, key);
    },
    presign: async (key, presign) => {
      assertReadableKey(key);
      return presignRead(bucket, key, presign);
    },
    list: async function* (prefix) {
      yield* listObjects(bucket, readPrefix(prefix));
    },
    delete: async (key) => {
      assertStorageKey(key);
      await explained(bucket.client.send(new DeleteObjectCommand(placeOf(bucket, key))));
    },
    sweepIncoming: (maxAgeMs) => sweepUploads(bucket, maxAgeMs, systemClock.now()),
  };
};

const readBytes = 256 * 1024;

/** Asks nobody: the signature is made here. */
const presignRead = (bucket: Bucket, key: string, options: PresignOptions): Promise<string> => {
  const get = new GetObjectCommand({
    ...placeOf(bucket, key),
    ResponseContentDisposition: options.disposition,
    ResponseContentType: options.mediaType,
  });
  return explained(getSignedUrl(bucket.client, get, { expiresIn: options.expiresInSeconds }));
};
