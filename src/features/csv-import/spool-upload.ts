/** An upload as a file of ours: measured, hashed and looked at while it arrives, so that memory stays flat whatever its size. */
import { isUtf8 } from 'node:buffer';
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { unreadable } from '../../core/csv/csv-header.ts';
import { maxFileBytes } from '../../core/csv/csv-limits.ts';
import { recogniseOtherFile } from '../../core/csv/recognise-file.ts';
import { RendermillError } from '../../core/errors.ts';

export interface SpooledFile {
  readonly path: string;
  readonly sizeInBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** As many of the first bytes as `headBytes`, or all. */
  readonly head: Uint8Array;
  readonly validUtf8: boolean;
  /** Offset of the first zero byte; null: there is none. */
  readonly firstZero: number | null;
  /** May be called twice. */
  remove(): Promise<void>;
}

const headBytes = 64 * 1024;
/** Enough to know a picture or a workbook by. */
const recognisableBytes = 2 * 1024;
/** What a killed process left. An upload takes minutes. */
const strayAfterMs = 6 * 3_600_000;

/** `sent`: bytes of the whole request; undefined where it was cut off at the first byte too many. */
export const tooLarge = (sent?: number): RendermillError =>
  new RendermillError('payload_too_large', {
    message:
      `A CSV file may have up to ${maxFileBytes / 1024 / 1024} MB (${maxFileBytes} bytes), and ` +
      `${sent === undefined ? 'this one is longer' : `the request has ${sent}`}. Split it: each part needs the header.`,
    details: { limit: maxFileBytes, ...(sent === undefined ? {} : { sizeInBytes: sent }) },
  });

/**
 * Rejects with `csv_unreadable` as soon as the file is known to be something else, with `payload_too_large` at the first byte too
 * many, and with `invalid_request` where the upload broke off; then the file is gone. Else whoever called removes it.
 */
export const spoolUpload = async (upload: Readable, directory: string): Promise<SpooledFile> => {
  await mkdir(directory, { recursive: true });
  await removeStrays(directory);
  const path = join(directory, `${randomUUID()}.csv`);
  const remove = () => rm(path, { force: true });
  const look = createLook();
  // Opened before anything can fail: a stream that opens it by itself may do so after it was removed.
  const file = await open(path, 'wx', 0o600);
  try {
    await pipeline(upload, look.through, file.createWriteStream());
    return { path, remove, ...look.result() };
  } catch (error) {
    await remove();
    throw explain(error, upload);
  }
};

const explain = (error: unknown, upload: Readable): unknown => {
  if (error instanceof RendermillError) return error;
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? ''))
    return new RendermillError('disk_full', {
      message: 'The disk of the work folder is full.',
      cause: error,
    });
  if (upload.errored === null) return error;
  return new RendermillError('invalid_request', { message: 'The upload broke off.', cause: error });
};

const createLook = () => {
  const hash = createHash('sha256');
  const utf8 = createUtf8Check();
  let head = Buffer.alloc(0);
  let sizeInBytes = 0;
  let firstZero: number | null = null;
  const see = (chunk: Buffer) => {
    hash.update(chunk);
    utf8.add(chunk);
    const zero = firstZero === null ? chunk.indexOf(0) : -1;
    if (zero >= 0) firstZero = sizeInBytes + zero;
    sizeInBytes += chunk.length;
    if (head.length < headBytes) head = Buffer.concat([head, chunk.subarray(0, headBytes - head.length)]);
  };
  const recognise = () => {
    const other = recogniseOtherFile(head);
    if (other !== null) throw unreadable(`The file is not a CSV but ${other}.`);
  };
  return {
    through: async function* (chunks: AsyncIterable<Buffer>) {
      let recognised = false;
      for await (const chunk of chunks) {
        see(chunk);
        if (sizeInBytes > maxFileBytes) throw tooLarge();
        if (!recognised && head.length >= recognisableBytes) {
          recognise();
          recognised = true;
        }
        yield chunk;
      }
      if (sizeInBytes === 0) throw unreadable('The file is empty.');
      recognise();
    },
    result: () => ({ sizeInBytes, sha256: hash.digest('hex'), head, validUtf8: utf8.isValid(), firstZero }),
  };
};

/** UTF-8 over chunks that may end within a character. */
const createUtf8Check = () => {
  let valid = true;
  let begun = Buffer.alloc(0);
  return {
    add: (chunk: Buffer) => {
      if (!valid) return;
      const bytes = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
      const end = bytes.length - unfinishedBytes(bytes);
      valid = isUtf8(bytes.subarray(0, end));
      begun = Buffer.from(bytes.subarray(end));
    },
    isValid: () => valid && begun.length === 0,
  };
};

/** Of a character at the end whose last bytes are still to come: 0 to 3. */
const unfinishedBytes = (bytes: Uint8Array): number => {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    // A continuation: the character begins before it.
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
};

const removeStrays = async (directory: string): Promise<void> => {
  for (const name of await readdir(directory)) {
    const path = join(directory, name);
    // Another process may have removed it just now.
    const found = await stat(path).catch(() => null);
    if (found && Date.now() - found.mtimeMs > strayAfterMs) await rm(path, { force: true });
  }
};
