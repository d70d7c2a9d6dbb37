import { S3ServiceException } from '@aws-sdk/client-s3';
import { RendermillError } from '../../../core/errors.ts';

/** What the store calls it, of its error or of ours that was made from it: `NoSuchKey`, `SlowDown`; else the name of the error. */
export const s3Code = (error: unknown): string | undefined => {
  const original = error instanceof RendermillError ? error.cause : error;
  return original instanceof Error ? original.name : undefined;
};

const full: ReadonlySet<string> = new Set(['XMinioStorageFull', 'QuotaExceeded', 'QuotaExceededException']);
const missing: ReadonlySet<string> = new Set(['NoSuchKey', 'NotFound']);

/** Ours for whatever a request came to. A source that fails keeps its own error: only requests go through here. */
export const asStorageError = (error: unknown): RendermillError => {
  if (error instanceof RendermillError) return error;
  const code = s3Code(error) ?? '';
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (missing.has(code)) return new RendermillError('not_found', { cause: error });
  if (status === 416) return new RendermillError('range_not_satisfiable', { cause: error });
  if (status === 507 || full.has(code)) {
    const message = 'The bucket of the storage is full, or its quota is used up.';
    return new RendermillError('disk_full', { message, cause: error });
  }
  return new RendermillError('storage_unavailable', { cause: error });
};

export const explained = async <T>(sent: Promise<T>): Promise<T> => {
  try {
    return await sent;
  } catch (error) {
    throw asStorageError(error);
  }
};
