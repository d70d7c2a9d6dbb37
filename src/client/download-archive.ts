import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ApiError } from './api-error.ts';
import type { ArchiveOrder, DownloadedArchive } from './archive-types.ts';
import { type Transport, unreachable } from './transport.ts';

/**
 * Streams an archive to a path, replacing what is there. It is written beside the path and moved into place once it is as long as
 * the service said: nobody meets half an archive.
 */
export const downloadArchive = async (
  transport: Transport,
  order: ArchiveOrder,
  path: string,
  signal?: AbortSignal,
): Promise<DownloadedArchive> => {
  const response = await transport.open(`/api/export/zip?${queryOf(order)}`, { signal });
  const expected = Number(response.headers.get('content-length') ?? Number.NaN);
  await mkdir(dirname(path), { recursive: true });
  const partial = join(dirname(path), `.${basename(path)}.${randomUUID()}.part`);
  try {
    await pipeline(
      response.body === null ? Readable.from([]) : Readable.fromWeb(response.body),
      createWriteStream(partial, { flags: 'wx' }),
      signal === undefined ? {} : { signal },
    ).catch((error: unknown) => {
      // A connection that breaks is a TypeError of fetch's; a full disk keeps its own error.
      throw error instanceof TypeError ? unreachable(transport.base, error) : error;
    });
    const sizeInBytes = (await stat(partial)).size;
    if (sizeInBytes !== expected) throw mismatch(sizeInBytes, expected);
    await rename(partial, path);
    return { path, sizeInBytes };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
};

const queryOf = ({ campaignId, fileIds, layout, manifest, partial }: ArchiveOrder): URLSearchParams =>
  new URLSearchParams({
    ...(campaignId === undefined ? {} : { campaignId }),
    ...(fileIds === undefined ? {} : { fileIds: fileIds.join(',') }),
    ...(layout === undefined ? {} : { layout }),
    ...(manifest === undefined ? {} : { manifest: String(manifest) }),
    ...(partial === undefined ? {} : { partial: String(partial) }),
  });

const mismatch = (sizeInBytes: number, expected: number) =>
  new ApiError({
    code: 'length_mismatch',
    status: 0,
    message: Number.isNaN(expected)
      ? 'The service did not say how long the archive is, so it was not kept.'
      : `The archive arrived with ${sizeInBytes} bytes, expected ${expected}. Download it again.`,
    details: { sizeInBytes, expected: Number.isNaN(expected) ? null : expected },
  });
