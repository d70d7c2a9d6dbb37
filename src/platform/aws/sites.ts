/** Sites: bundles that renderers have put under `sites/<name>/`, from where the functions load them. */
import { sitesPrefix } from './bucket-policy.ts';
import { listObjects, removeObjects } from './objects.ts';
import { type AwsRegion, awsService } from './remotion-lambda.ts';
import { atAws } from './setup-error.ts';

export interface Site {
  readonly name: string;
  readonly files: number;
  readonly sizeInBytes: number;
  /** When the last of its files came. */
  readonly uploadedAt: Date;
}

const nameOf = (key: string): string => key.slice(sitesPrefix.length).split('/')[0] ?? '';

const latest = (one: Date, other: Date): Date => (one > other ? one : other);

/** By name. Throws errors of ours. */
export const listSites = (region: AwsRegion, bucket: string): Promise<Site[]> =>
  atAws(region, async () => {
    const sites = new Map<string, Site>();
    for await (const { key, sizeInBytes, lastModified } of listObjects(
      await awsService('s3', region),
      bucket,
      sitesPrefix,
    )) {
      const name = nameOf(key);
      const site = sites.get(name) ?? { name, files: 0, sizeInBytes: 0, uploadedAt: lastModified };
      sites.set(name, {
        name,
        files: site.files + 1,
        sizeInBytes: site.sizeInBytes + sizeInBytes,
        uploadedAt: latest(site.uploadedAt, lastModified),
      });
    }
    return [...sites.values()];
  });

/** Resolves with the number of files. One that is needed again is uploaded again. */
export const removeSite = (region: AwsRegion, bucket: string, name: string): Promise<number> =>
  atAws(region, async () => {
    const s3 = await awsService('s3', region);
    const keys: string[] = [];
    for await (const { key } of listObjects(s3, bucket, `${sitesPrefix}${name}/`)) keys.push(key);
    // Its page says that a site is whole, so it goes first.
    const pages = keys.filter((key) => key.endsWith('/index.html'));
    await removeObjects(s3, bucket, pages);
    await removeObjects(
      s3,
      bucket,
      keys.filter((key) => !pages.includes(key)),
    );
    return keys.length;
  });
