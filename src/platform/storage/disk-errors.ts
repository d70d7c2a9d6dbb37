import { RendermillError } from '../../core/errors.ts';

/** No space or no file entries left, the quota is used up, the file is larger than the file system or the process may write. */
const full: Readonly<Record<string, string>> = {
  ENOSPC: 'The disk of the storage folder is full.',
  EDQUOT: 'The disk quota of the storage folder is used up.',
  EFBIG: 'The file is larger than the storage folder, or the file size limit of this process, allows.',
};

export const errorCode = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;

/** Ours for what the disk says, else the error as it is. */
export const asStorageError = (error: unknown): unknown => {
  const message = full[errorCode(error) ?? ''];
  return message === undefined ? error : new RendermillError('disk_full', { message, cause: error });
};
