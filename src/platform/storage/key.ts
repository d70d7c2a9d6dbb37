import { RendermillError } from '../../core/errors.ts';

const segment = /^[a-z0-9_-][a-z0-9._-]*$/;
/** What every file system (255 bytes a name) and object store (1024 a key) takes. */
const maxSegmentLength = 255;
const maxLength = 900;

export const isStorageKey = (key: string): boolean =>
  key.length <= maxLength &&
  key.split('/').every((part) => part.length <= maxSegmentLength && segment.test(part));

/** Before writing: a key that breaks the rules is a mistake of ours. */
export const assertStorageKey = (key: string): void => {
  if (isStorageKey(key)) return;
  throw new TypeError(
    `Not a storage key: ${JSON.stringify(key)}. Expected segments of a-z, 0-9, "-", "_" and ".", none of them empty or beginning with a dot, joined by "/".`,
  );
};

/** Before reading: there can be no such object, whoever asks. */
export const assertReadableKey = (key: string): void => {
  if (!isStorageKey(key)) throw new RendermillError('not_found');
};

/** The prefix without its last slash, or '' for everything. */
export const readPrefix = (prefix: string): string => {
  const key = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  if (prefix !== '') assertReadableKey(key);
  return key;
};
