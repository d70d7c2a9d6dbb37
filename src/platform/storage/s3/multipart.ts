/**
 * An upload in parts, which becomes visible in one moment or not at all. Not by @aws-sdk/lib-storage: that leaves the upload open
 * where its completion is refused, and goes on reading the body where a part has failed.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { type Bucket, placeOf, uploadMs } from './bucket.ts';
import { explained, s3Code } from './s3-errors.ts';

export interface PartsToUpload {
  readonly key: string;
  readonly parts: AsyncIterable<Buffer>;
  readonly metadata: Record<string, string>;
  readonly onlyIfAbsent: boolean;
  /** The rest of the body is not wanted: a part of it has failed. */
  readonly onFailure: (error: Error) => void;
}

/** Each is in memory until it has arrived. */
const partsAtOnce = 3;

/** Rejects as `explained`; no upload is left open then, unless the store cannot be reached (see `sweepUploads`). */
export const uploadParts = async (bucket: Bucket, given: PartsToUpload): Promise<void> => {
  const place = placeOf(bucket, given.key);
  const create = new CreateMultipartUploadCommand({ ...place, Metadata: given.metadata });
  const { UploadId } = await explained(bucket.client.send(create));
  const upload = { ...place, UploadId };
  try {
    const parts = await sendAll(given, (bytes, number) => sendPart(bucket, upload, bytes, number));
    const complete = new CompleteMultipartUploadCommand({
      ...upload,
      MultipartUpload: { Parts: parts },
      ...(given.onlyIfAbsent ? { IfNoneMatch: '*' } : {}),
    });
    // A large object takes the store its time.
    await explained(bucket.client.send(complete, { requestTimeout: completeMs }));
  } catch (error) {
    await abortUpload(bucket, upload).catch((err: unknown) =>
      bucket.log.warn({ err, key: given.key }, 'an upload could not be aborted; it will be swept'),
    );
    throw error;
  }
};

const completeMs = 120_000;

interface OpenUpload {
  readonly Bucket: string;
  readonly Key: string;
  readonly UploadId: string | undefined;
}

const sendPart = async (bucket: Bucket, upload: OpenUpload, bytes: Buffer, number: number) => {
  const part = new UploadPartCommand({ ...upload, PartNumber: number, Body: bytes });
  const { ETag } = await explained(bucket.client.send(part, { requestTimeout: uploadMs(bytes.length) }));
  return { PartNumber: number, ETag };
};

/** Settles when no part is on its way any more: an abort would not reach it. */
const sendAll = async (
  { parts, onFailure }: PartsToUpload,
  send: (bytes: Buffer, number: number) => Promise<CompletedPart>,
): Promise<CompletedPart[]> => {
  const sent: Promise<CompletedPart>[] = [];
  const running = new Set<Promise<unknown>>();
  try {
    for await (const bytes of parts) {
      const one = send(bytes, sent.length + 1);
      sent.push(one);
      const ended = one.catch(onFailure).finally(() => running.delete(ended));
      running.add(ended);
      if (running.size >= partsAtOnce) await Promise.race(running);
    }
  } finally {
    await Promise.all(running);
  }
  return Promise.all(sent);
};

/** Of one that is gone already: nothing happens. */
export const abortUpload = async (bucket: Bucket, upload: OpenUpload): Promise<void> => {
  try {
    await explained(bucket.client.send(new AbortMultipartUploadCommand(upload)));
  } catch (error) {
    if (s3Code(error) !== 'NoSuchUpload') throw error;
  }
};
