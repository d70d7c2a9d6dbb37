import { listObjects, removeObjects } from './objects.ts';
import { type AwsRegion, awsService } from './remotion-lambda.ts';
import { atAws } from './setup-error.ts';

export interface BucketContent {
  readonly objects: number;
  readonly sizeInBytes: number;
}

export const measureBucket = (region: AwsRegion, bucket: string): Promise<BucketContent> =>
  atAws(region, async () => {
    let [objects, sizeInBytes] = [0, 0];
    for await (const one of listObjects(await awsService('s3', region), bucket, '')) {
      objects += 1;
      sizeInBytes += one.sizeInBytes;
    }
    return { objects, sizeInBytes };
  });

/** With all that is in it. */
export const removeBucket = (region: AwsRegion, bucket: string): Promise<void> =>
  atAws(region, async () => {
    const s3 = await awsService('s3', region);
    const keys: string[] = [];
    for await (const { key } of listObjects(s3, bucket, '')) keys.push(key);
    await removeObjects(s3, bucket, keys);
    await s3.client.send(new s3.sdk.DeleteBucketCommand({ Bucket: bucket }));
  });
