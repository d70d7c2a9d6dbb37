import { randomUUID } from 'node:crypto';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { RendermillError } from '../../../core/errors.ts';
import type { WrittenObject } from '../contract.ts';
import { type Bucket, placeOf, uploadMs } from './bucket.ts';
import { cutParts } from './cut-parts.ts';
import { uploadParts } from './multipart.ts';
import { explained, s3Code } from './s3-errors.ts';

/** 10,000 parts at most: objects of up to 84 GB. All of one length, as Cloudflare wants it. */
export const partBytes = 8 * 1024 * 1024;

/** Names the writer on the object, so that a retry which is refused can be told from somebody else's object. */
const writerName = 'rendermill-writer';

/** Visible when whole. */
export const putObject = async (bucket: Bucket, key: string, body: Readable): Promise<WrittenObject> => {
  const { written } = await write(bucket, key, body, false);
  return written;
};

/** False where there is one already: then, or while another is being written. */
export const putNewObject = async (bucket: Bucket, key: string, body: Readable): Promise<boolean> => {
  const { isOurs } = await write(bucket, key, body, true);
  return isOurs;
};

const write = async (bucket: Bucket, key: string, body: Readable, onlyIfAbsent: boolean) => {
  const writer = randomUUID();
  const cut = cutParts(body, partBytes);
  try {
    const first = await cut.parts.next();
    const second = first.done ? first : await cut.parts.next();
    const metadata = { [writerName]: writer };
    if (first.done || second.done) {
      await putWhole(bucket, key, first.value ?? Buffer.alloc(0), metadata, onlyIfAbsent);
    } else {
      const parts = withFirst([first.value, second.value], cut.parts);
      const onFailure = (error: Error) => void body.destroy(error);
      await uploadParts(bucket, { key, parts, metadata, onlyIfAbsent, onFailure });
    }
    return { written: cut.written(), isOurs: true };
  } catch (error) {
    const isOurs = await judgeRefusal(bucket, key, writer, error);
    return { written: cut.written(), isOurs };
  }
};

const putWhole = async (
  bucket: Bucket,
  key: string,
  bytes: Buffer,
  metadata: Record<string, string>,
  onlyIfAbsent: boolean,
): Promise<void> => {
  const put = new PutObjectCommand({
    ...placeOf(bucket, key),
    Body: bytes,
    Metadata: metadata,
    ...(onlyIfAbsent ? { IfNoneMatch: '*' } : {}),
  });
  await explained(bucket.client.send(put, { requestTimeout: uploadMs(bytes.length) }));
};

async function* withFirst(first: Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for (let one = first.shift(); one !== undefined; one = first.shift()) yield one;
  yield* rest;
}

/** There is an object; or another is being written at this moment; or the upload is gone, as it is when it was completed. */
const refusals: ReadonlySet<string> = new Set([
  'PreconditionFailed',
  'ConditionalRequestConflict',
  'NoSuchUpload',
]);

/**
 * Of a write that was refused: whether the object that is there now is ours after all, its first answer having been lost on the way.
 * Rethrows what is no such refusal.
 */
const judgeRefusal = async (
  bucket: Bucket,
  key: string,
  writer: string,
  error: unknown,
): Promise<boolean> => {
  const code = s3Code(error) ?? '';
  if (!(error instanceof RendermillError && refusals.has(code))) throw error;
  const found = await findWriter(bucket, key, code === 'ConditionalRequestConflict' ? 5 : 1);
  if (found === writer) return true;
  if (found === undefined || code === 'NoSuchUpload') throw error;
  return false;
};

/** Undefined: there is no object. The other writer of a conflict is waited for. */
const findWriter = async (bucket: Bucket, key: string, looks: number): Promise<string | undefined> => {
  try {
    const { Metadata } = await explained(bucket.client.send(new HeadObjectCommand(placeOf(bucket, key))));
    return Metadata?.[writerName] ?? '';
  } catch (error) {
    if (!(error instanceof RendermillError && error.code === 'not_found')) throw error;
    if (looks <= 1) return undefined;
    await sleep(500);
    return findWriter(bucket, key, looks - 1);
  }
};
