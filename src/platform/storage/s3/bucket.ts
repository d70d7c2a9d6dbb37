import { S3Client } from '@aws-sdk/client-s3';
import type { Logger } from '../../log/log.ts';

export interface S3Options {
  readonly bucket: string;
  /** Begins every key; '' or a path with its slash. */
  readonly prefix: string;
  readonly region: string;
  /** Of an S3-compatible store; absent: AWS. */
  readonly endpoint?: string;
  /** The bucket goes into the path instead of the host name. */
  readonly forcePathStyle: boolean;
  /** Absent: as AWS's own tools find them. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly log: Logger;
}

/** What every operation of the driver needs. */
export interface Bucket {
  readonly client: S3Client;
  readonly name: string;
  readonly prefix: string;
  readonly log: Logger;
}

/** With pauses of up to some seconds between them: a dead endpoint is an error soon, and a busy one is waited for. */
const maxAttempts = 4;
const connectMs = 3_000;
/** Until the first byte of an answer. */
const answerMs = 15_000;
/** A download holds a connection for as long as its client takes; 50, the default of the SDK, would starve the others. */
const maxSockets = 512;

export const openBucket = (options: S3Options): Bucket => ({
  name: options.bucket,
  prefix: options.prefix,
  log: options.log,
  client: new S3Client({
    region: options.region,
    forcePathStyle: options.forcePathStyle,
    ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
    ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
    retryMode: 'standard',
    maxAttempts,
    // The signature covers a hash of every body; the checksums on top of it are not known to every store.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: connectMs,
      requestTimeout: answerMs,
      throwOnRequestTimeout: true,
      // Would end a download whose client is slow; `checkedBody` looks at the right end of it.
      socketTimeout: 0,
      httpAgent: { keepAlive: true, maxSockets },
      httpsAgent: { keepAlive: true, maxSockets },
    },
  }),
});

/** At a hundred kilobytes a second, and the time for an answer. */
export const uploadMs = (bytes: number): number => answerMs + Math.ceil(bytes / 100);

/** Of an object. */
export const placeOf = (bucket: Bucket, key: string): { Bucket: string; Key: string } => ({
  Bucket: bucket.name,
  Key: bucket.prefix + key,
});
