/**
 * The storage port. A key is a slash-separated path of lower-case letters, digits, `-`, `_` and `.`, without empty segments and
 * segments that begin with a dot; anything else is refused with `not_found` on reading and a TypeError on writing, before the
 * driver sees it. No key may continue another (`a` and `a/b`): a folder cannot hold both.
 */
import type { Readable } from 'node:stream';

export interface StoredObject {
  readonly key: string;
  readonly sizeInBytes: number;
  readonly lastModified: Date;
}

export interface ByteRange {
  /** Both ends included, zero-based. */
  readonly start: number;
  readonly end: number;
}

export interface WrittenObject {
  readonly sizeInBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface PresignOptions {
  /** Seconds from now; at most a week. */
  readonly expiresInSeconds: number;
  /** Content-Disposition and Content-Type of the answer. */
  readonly disposition: string;
  readonly mediaType: string;
}

export interface Storage {
  readonly kind: 'folder' | 's3';
  /** Whether it can be used now, cheaply. Rejects with `storage_unavailable`, or with `invalid_configuration`, which says what to do. */
  check(): Promise<void>;
  /** Moves a local file in (it is gone afterwards): visible only when whole. Rejects with `disk_full`, the file being left. */
  putFile(key: string, path: string): Promise<WrittenObject>;
  /** Streams in, under a temporary name first: visible only when whole. Replaces what was there. Rejects with `disk_full`. */
  put(key: string, body: Readable): Promise<WrittenObject>;
  /** Like put, but leaves an object that is already there as it is, and then destroys the body; says whether it wrote. */
  putIfAbsent(key: string, body: Readable): Promise<boolean>;
  /** Rejects with `not_found` and `range_not_satisfiable`; an end past the last byte means that byte. The caller consumes or destroys the stream. */
  read(key: string, range?: ByteRange): Promise<Readable>;
  stat(key: string): Promise<StoredObject | null>;
  /** A URL from which anyone who has it may GET the object until it expires; null where the storage has none to give (a folder). */
  presign(key: string, options: PresignOptions): Promise<string | null>;
  /** Every object whose key starts with the prefix, which ends at a segment (with or without its slash; '' is all), by key. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Of an object that is not there: nothing happens. */
  delete(key: string): Promise<void>;
  /** Removes what dead writers left behind: unfinished uploads that nobody has written to for so long. Resolves with their number. */
  sweepIncoming(maxAgeMs: number): Promise<number>;
}
