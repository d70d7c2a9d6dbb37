import { createReadStream, createWriteStream } from 'node:fs';
import { readFile, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  NotFound,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';

/** The objects of the function's bucket. Rejects with the SDK's own errors. */
export interface BucketObjects {
  exists(key: string): Promise<boolean>;
  putFile(key: string, path: string, contentType: string): Promise<void>;
  putText(key: string, text: string, contentType: string): Promise<void>;
  readText(key: string): Promise<string>;
  /** Visible at `path` only when whole, that is of as many bytes as were promised (null: as S3 says). */
  download(key: string, path: string, promised: number | null, signal: AbortSignal): Promise<void>;
  /** All that begin with the prefix, but for this one key. */
  deleteAll(prefix: string, except?: string): Promise<void>;
  close(): void;
}

/** The SDK can send a buffer again, a stream never; what is larger is worth its memory no longer. */
const maxBufferedBytes = 16 * 1024 * 1024;

/** By the name that the SDK gives to failures of the network. */
const cutShort = (message: string): Error => Object.assign(new Error(message), { name: 'NetworkingError' });

export const openBucket = (bucketName: string, region: string): BucketObjects => {
  const client = new S3Client({ region });
  const at = (Key: string) => ({ Bucket: bucketName, Key });

  const keysPage = async (prefix: string): Promise<readonly string[]> => {
    const page = await client.send(new ListObjectsV2Command({ Bucket: bucketName, Prefix: prefix }));
    return (page.Contents ?? []).flatMap(({ Key }) => Key ?? []);
  };

  return {
    exists: async (key) => {
      try {
        await client.send(new HeadObjectCommand(at(key)));
        return true;
      } catch (error) {
        if (error instanceof NotFound) return false;
        throw error;
      }
    },
    putFile: async (key, path, contentType) => {
      const { size } = await stat(path);
      const body = size > maxBufferedBytes ? createReadStream(path) : await readFile(path);
      await client.send(
        new PutObjectCommand({ ...at(key), Body: body, ContentLength: size, ContentType: contentType }),
      );
    },
    putText: async (key, text, contentType) => {
      await client.send(new PutObjectCommand({ ...at(key), Body: text, ContentType: contentType }));
    },
    readText: async (key) => {
      const { Body } = await client.send(new GetObjectCommand(at(key)));
      return (await Body?.transformToString()) ?? '';
    },
    download: async (key, path, promised, signal) => {
      const partial = `${path}.download`;
      try {
        const { Body, ContentLength } = await client.send(new GetObjectCommand(at(key)), {
          abortSignal: signal,
        });
        if (!(Body instanceof Readable)) throw new Error(`The object ${key} came without a body.`);
        await pipeline(Body, createWriteStream(partial), { signal });
        const { size } = await stat(partial);
        const expected = promised ?? ContentLength;
        if (size !== expected) throw cutShort(`Of ${key} ${expected} bytes were promised and ${size} came.`);
        await rename(partial, path);
      } finally {
        await rm(partial, { force: true });
      }
    },
    deleteAll: async (prefix, except) => {
      for (;;) {
        const keys = (await keysPage(prefix)).filter((key) => key !== except);
        if (keys.length === 0) return;
        const { Errors = [] } = await client.send(
          new DeleteObjectsCommand({
            Bucket: bucketName,
            Delete: { Objects: keys.map((Key) => ({ Key })), Quiet: true },
          }),
        );
        if (Errors.length > 0) throw new Error(`${Errors.length} objects under ${prefix} stayed.`);
      }
    },
    close: () => client.destroy(),
  };
};
