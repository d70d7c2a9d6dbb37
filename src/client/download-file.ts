import { createHash, randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError } from './api-error.ts';
import { type Transport, unreachable } from './transport.ts';

export interface DownloadedFile {
  readonly path: string;
  readonly sizeInBytes: number;
  /** Lower-case hex; what arrived is what the service stored. */
  readonly sha256: string;
}

/**
 * Streams a file to a path, replacing what is there. It is written beside the path and moved into place once its hash is right:
 * nobody meets half a file.
 */
export const downloadFile = async (
  transport: Transport,
  fileId: string,
  path: string,
  signal?: AbortSignal,
): Promise<DownloadedFile> => {
  const from = `/api/render/download?fileId=${encodeURIComponent(fileId)}`;
  const answer = await transport.open(from, { signal, mayRedirect: true });
  // Of the service, not of the storage that it may point to, which knows other hashes.
  const expected = /^"([0-9a-f]{64})"$/.exec(answer.headers.get('etag') ?? '')?.[1];
  const response = await follow(answer, signal);
  await mkdir(dirname(path), { recursive: true });
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  try {
    const written = await receive(response, partial, signal).catch((error: unknown) => {
      // A connection that breaks is a TypeError of fetch's; a full disk keeps its own error.
      throw error instanceof TypeError ? unreachable(transport.base, error) : error;
    });
    if (written.sha256 !== expected) throw mismatch(fileId, expected, written);
    await rename(partial, path);
    return { path, ...written };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};

/** Without the key: the URL has its own permission, and S3 refuses two at once. */
const follow = async (answer: Response, signal: AbortSignal | undefined): Promise<Response> => {
  const location = answer.headers.get('location');
  if (location === null) return answer;
  const { origin } = new URL(location);
  const response = await fetch(location, signal === undefined ? {} : { signal }).catch((error: unknown) => {
    throw signal?.aborted ? error : unreachable(origin, error);
  });
  if (response.ok) return response;
  await response.body?.cancel();
  throw new ApiError({
    code: 'unexpected_answer',
    status: response.status,
    message:
      `The storage at ${origin}, to which the service points, answered ${response.status} ${response.statusText}`.trimEnd(),
  });
};

const receive = async (response: Response, partial: string, signal: AbortSignal | undefined) => {
  const hash = createHash('sha256');
  let sizeInBytes = 0;
  const measure = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      sizeInBytes += chunk.length;
      yield chunk;
    }
  };
  const body = response.body === null ? Readable.from([]) : Readable.fromWeb(response.body);
  const file = createWriteStream(partial, { flags: 'wx' });
  // A body that breaks off at once ends before the file is open: it must be there before it can be removed.
  const closed = new Promise<void>((resolve) => file.once('close', resolve));
  await pipeline(body, measure, file, signal === undefined ? {} : { signal }).finally(() => closed);
  return { sizeInBytes, sha256: hash.digest('hex') };
};

const mismatch = (
  fileId: string,
  expected: string | undefined,
  written: { sizeInBytes: number; sha256: string },
) =>
  new ApiError({
    code: 'checksum_mismatch',
    status: 0,
    message:
      expected === undefined
        ? `The service did not say the SHA-256 of file ${fileId}, so it was not kept.`
        : `File ${fileId} arrived damaged: its SHA-256 is ${written.sha256}, expected ${expected}. Download it again.`,
    details: { ...written, expected },
  });
