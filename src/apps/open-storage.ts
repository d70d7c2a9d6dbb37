import type { Config } from '../platform/config/config.ts';
import type { Lifecycle } from '../platform/lifecycle/lifecycle.ts';
import type { Logger } from '../platform/log/log.ts';
import type { Storage } from '../platform/storage/contract.ts';
import { createFolderStorage } from '../platform/storage/folder.ts';
import type { S3Options } from '../platform/storage/s3/bucket.ts';

export interface StorageOwner {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
}

/**
 * The bucket where one is configured, else the folder. A bucket that cannot be used is told now and not by the first render: throws
 * `invalid_configuration`, or `storage_unavailable` where nobody answers.
 */
export const openStorage = async ({ config, log, lifecycle }: StorageOwner): Promise<Storage> => {
  const options = s3OptionsOf(config, log);
  if (!options) return createFolderStorage({ directory: config.storageDirectory });
  // Loaded only where it is needed: it brings the SDK of AWS.
  const { createS3Storage } = await import('../platform/storage/s3/s3-storage.ts');
  const storage = createS3Storage(options);
  lifecycle.onStop('storage', async () => storage.close());
  await storage.check();
  return storage;
};

/** Null: the files are in a folder. */
export const s3OptionsOf = (config: Config, log: Logger): S3Options | null => {
  const { S3_BUCKET, S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = config;
  if (S3_BUCKET === undefined) return null;
  const isKeyGiven = S3_ACCESS_KEY_ID !== undefined && S3_SECRET_ACCESS_KEY !== undefined;
  return {
    bucket: S3_BUCKET,
    prefix: config.S3_PREFIX,
    region: config.S3_REGION,
    forcePathStyle: config.S3_FORCE_PATH_STYLE,
    ...(S3_ENDPOINT === undefined ? {} : { endpoint: S3_ENDPOINT }),
    ...(isKeyGiven
      ? { credentials: { accessKeyId: S3_ACCESS_KEY_ID, secretAccessKey: S3_SECRET_ACCESS_KEY } }
      : {}),
    log,
  };
};

/** For a person: a folder, or `s3://bucket/prefix`. */
export const placeOfFiles = (config: Config): string =>
  config.S3_BUCKET === undefined ? config.storageDirectory : `s3://${config.S3_BUCKET}/${config.S3_PREFIX}`;
