import { Readable } from 'node:stream';
import { GetObjectCommand, type GetObjectCommandOutput, HeadObjectCommand } from '@aws-sdk/client-s3';
import { RendermillError } from '../../../core/errors.ts';
import { fitRange } from '../byte-range.ts';
import type { ByteRange, StoredObject } from '../contract.ts';
import { type Bucket, placeOf } from './bucket.ts';
import { checkedBody } from './checked-body.ts';
import { explained } from './s3-errors.ts';

export const statObject = async (bucket: Bucket, key: string): Promise<StoredObject | null> => {
  try {
    const head = await explained(bucket.client.send(new HeadObjectCommand(placeOf(bucket, key))));
    const { ContentLength: sizeInBytes, LastModified: lastModified } = head;
    if (sizeInBytes === undefined || lastModified === undefined) throw odd('it describes no object');
    return { key, sizeInBytes, lastModified };
  } catch (error) {
    if (error instanceof RendermillError && error.code === 'not_found') return null;
    throw error;
  }
};

export const readObject = async (
  bucket: Bucket,
  key: string,
  range: ByteRange | undefined,
): Promise<Readable> => {
  // S3 takes such a range for none at all, and gives the whole.
  if (range && !(range.start >= 0 && range.end >= range.start)) throw await outside(bucket, key, range);
  try {
    const get = new GetObjectCommand({
      ...placeOf(bucket, key),
      ...(range ? { Range: `bytes=${range.start}-${range.end}` } : {}),
    });
    return openBody(await explained(bucket.client.send(get)), range);
  } catch (error) {
    const isOutside = range && error instanceof RendermillError && error.code === 'range_not_satisfiable';
    throw isOutside ? await outside(bucket, key, range) : error;
  }
};

/** With the size of the object, as the error has it everywhere. */
const outside = async (bucket: Bucket, key: string, range: ByteRange): Promise<unknown> => {
  const object = await statObject(bucket, key);
  if (!object) return new RendermillError('not_found');
  try {
    fitRange(range, object.sizeInBytes);
    return odd('it refused a range that lies inside the object');
  } catch (error) {
    return error;
  }
};

const openBody = (answer: GetObjectCommandOutput, range: ByteRange | undefined): Readable => {
  const { Body: body, ContentLength: length, ContentRange: given } = answer;
  if (!(body instanceof Readable)) throw odd('it has no body');
  if (length !== undefined && isAnswerTo(range, given, length)) return checkedBody(body, length);
  body.destroy();
  throw odd(`asked for ${JSON.stringify(range ?? 'all')}, it gave ${given ?? 'all'} in ${length} bytes`);
};

/** A store that passes over the range would have its reader take the first bytes for others. */
const isAnswerTo = (range: ByteRange | undefined, given: string | undefined, length: number): boolean => {
  if (!range) return given === undefined;
  const match = /^bytes (\d+)-(\d+)\/(?:\d+|\*)$/.exec(given ?? '');
  const [start, end] = [Number(match?.[1]), Number(match?.[2])];
  return start === range.start && end <= range.end && length === end - start + 1;
};

const odd = (what: string) =>
  new RendermillError('storage_unavailable', { cause: new Error(`the store gave an odd answer: ${what}`) });
