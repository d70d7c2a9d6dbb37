import { ListMultipartUploadsCommand, type MultipartUpload, paginateListParts } from '@aws-sdk/client-s3';
import type { Bucket } from './bucket.ts';
import { abortUpload } from './multipart.ts';
import { explained, s3Code } from './s3-errors.ts';

/**
 * Aborts uploads in parts that nobody has added to for so long: their writers died. By age, since the writers may be on other
 * machines. Resolves with their number.
 */
export const sweepUploads = async (bucket: Bucket, maxAgeMs: number, now: Date): Promise<number> => {
  const before = new Date(now.getTime() - maxAgeMs);
  let aborted = 0;
  for await (const { Key, UploadId, Initiated } of listUploads(bucket)) {
    if (Key === undefined || Initiated === undefined || Initiated >= before) continue;
    const upload = { Bucket: bucket.name, Key, UploadId };
    if (await hasPartSince(bucket, upload, before)) continue;
    await abortUpload(bucket, upload);
    aborted += 1;
  }
  return aborted;
};

async function* listUploads(bucket: Bucket): AsyncGenerator<MultipartUpload> {
  let marker = {};
  for (;;) {
    const list = new ListMultipartUploadsCommand({ Bucket: bucket.name, Prefix: bucket.prefix, ...marker });
    const page = await explained(bucket.client.send(list));
    yield* page.Uploads ?? [];
    if (!page.IsTruncated) return;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

const hasPartSince = async (
  bucket: Bucket,
  upload: { Bucket: string; Key: string; UploadId: string | undefined },
  before: Date,
): Promise<boolean> => {
  const pages = paginateListParts({ client: bucket.client }, upload);
  try {
    for (;;) {
      const page = await explained(pages.next());
      if (page.done) return false;
      const parts = page.value.Parts ?? [];
      if (parts.some(({ LastModified }) => LastModified !== undefined && LastModified >= before)) return true;
    }
  } catch (error) {
    // Completed or aborted since it was listed.
    if (s3Code(error) === 'NoSuchUpload') return true;
    throw error;
  }
};
