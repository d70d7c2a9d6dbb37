import { type ListObjectsV2Output, paginateListObjectsV2 } from '@aws-sdk/client-s3';
import type { StoredObject } from '../contract.ts';
import { isStorageKey } from '../key.ts';
import type { Bucket } from './bucket.ts';
import { statObject } from './read-object.ts';
import { explained } from './s3-errors.ts';

/** A page of a thousand at a time. Names that are no keys are somebody else's, and passed over. */
export async function* listObjects(bucket: Bucket, key: string): AsyncGenerator<StoredObject> {
  if (key === '') return yield* listBelow(bucket, '');
  let count = 0;
  for await (const object of listBelow(bucket, `${key}/`)) {
    count += 1;
    yield object;
  }
  // No key continues another: it is one object, or the beginning of others.
  const object = count === 0 ? await statObject(bucket, key) : null;
  if (object) yield object;
}

async function* listBelow(bucket: Bucket, start: string): AsyncGenerator<StoredObject> {
  const asked = { Bucket: bucket.name, Prefix: bucket.prefix + start };
  const pages = paginateListObjectsV2({ client: bucket.client }, asked);
  for (;;) {
    const page = await explained(pages.next());
    if (page.done) return;
    yield* objectsOf(bucket, page.value);
  }
}

function* objectsOf(bucket: Bucket, page: ListObjectsV2Output): Generator<StoredObject> {
  for (const { Key = '', Size: sizeInBytes, LastModified: lastModified } of page.Contents ?? []) {
    const key = Key.slice(bucket.prefix.length);
    if (isStorageKey(key) && sizeInBytes !== undefined && lastModified !== undefined) {
      yield { key, sizeInBytes, lastModified };
    }
  }
}
