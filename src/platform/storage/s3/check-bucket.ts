import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { RendermillError } from '../../../core/errors.ts';
import type { Bucket, S3Options } from './bucket.ts';
import { asStorageError, s3Code } from './s3-errors.ts';

const wrongKey =
  'The key or its secret is wrong: correct S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or what AWS finds instead of them.';
const wrongRegion = 'The bucket lies in another region: correct S3_REGION.';

/** By what the store calls it. */
const advice: Readonly<Record<string, string>> = {
  NoSuchBucket:
    'There is no such bucket: create it, or correct S3_BUCKET (and S3_ENDPOINT, if it is another store).',
  InvalidBucketName: 'That cannot be the name of a bucket: correct S3_BUCKET.',
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: wrongKey,
  InvalidToken: 'The session token is not valid: correct AWS_SESSION_TOKEN.',
  ExpiredToken: 'The session token has expired: get a new one.',
  CredentialsProviderError:
    'No credentials were found: set S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY, or a profile or role of AWS.',
  AccessDenied: 'The key may not list the bucket: give it the policy in docs/storage.md.',
  Forbidden: 'The key may not list the bucket: give it the policy in docs/storage.md.',
  AuthorizationHeaderMalformed: wrongRegion,
  PermanentRedirect: wrongRegion,
  RequestTimeTooSkewed: 'The clock of this machine is wrong: set it.',
};

/**
 * Asks for one name. Throws `invalid_configuration`, which says what to do, where the settings are wrong, and `storage_unavailable`
 * where nobody answers.
 */
export const checkBucket = async (bucket: Bucket, { endpoint }: S3Options): Promise<void> => {
  try {
    const one = { Bucket: bucket.name, Prefix: bucket.prefix, MaxKeys: 1 };
    await bucket.client.send(new ListObjectsV2Command(one));
  } catch (error) {
    const where = `The bucket ${bucket.name}${endpoint === undefined ? '' : ` at ${endpoint}`} cannot be used.`;
    const why = error instanceof Error ? ` (${error.name}: ${error.message})` : '';
    const what = advice[s3Code(error) ?? ''];
    if (what !== undefined) {
      throw new RendermillError('invalid_configuration', { message: `${where} ${what}${why}`, cause: error });
    }
    throw new RendermillError(asStorageError(error).code, {
      message: `${where} Nobody answers there as a store would: look at S3_ENDPOINT, S3_REGION and the network.${why}`,
      cause: error,
    });
  }
};
