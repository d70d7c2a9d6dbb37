import { RendermillError } from '../../core/errors.ts';
import type { awsService } from './remotion-lambda.ts';

type S3 = Awaited<ReturnType<typeof awsService<'s3'>>>;

export interface ListedObject {
  readonly key: string;
  readonly sizeInBytes: number;
  readonly lastModified: Date;
}

export async function* listObjects(
  { client, sdk }: S3,
  bucket: string,
  prefix: string,
): AsyncGenerator<ListedObject> {
  let token: string | undefined;
  do {
    const page = await client.send(
      new sdk.ListObjectsV2Command({
        Bucket: bucket,
        Prefix: prefix,
        ...(token === undefined ? {} : { ContinuationToken: token }),
      }),
    );
    for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? [])
      yield { key: Key, sizeInBytes: Size, lastModified: LastModified };
    token = page.NextContinuationToken;
  } while (token !== undefined);
}

/** As many as one request takes. */
const batchSize = 1_000;

export const removeObjects = async (
  { client, sdk }: S3,
  bucket: string,
  keys: readonly string[],
): Promise<void> => {
  for (let at = 0; at < keys.length; at += batchSize) {
    const Objects = keys.slice(at, at + batchSize).map((Key) => ({ Key }));
    // The answer is 200 even where objects were refused.
    const { Errors: errors = [] } = await client.send(
      new sdk.DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects, Quiet: true } }),
    );
    const [first] = errors;
    if (first)
      throw new RendermillError('lambda_misconfigured', {
        message:
          `${errors.length} objects could not be removed, ${first.Key} for instance: ${first.Code} ${first.Message ?? ''}`.trim(),
      });
  }
};
