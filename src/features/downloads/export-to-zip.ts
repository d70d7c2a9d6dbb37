import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Layout } from '../../core/archive/archive-file.ts';
import { RendermillError } from '../../core/errors.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import { orderOfBody } from './archive/archive-order.ts';
import { prepareArchive } from './archive/prepare-archive.ts';
import { streamArchive } from './archive/stream-archive.ts';
import { recordHandedOut } from './record-download.ts';

export interface ExportToZipDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly storage: Storage;
}

export interface ExportToZipOptions {
  readonly organizationId: string;
  /** Of a batch, its id or the tenant's name for it; or else fileIds. */
  readonly campaignId?: string;
  readonly fileIds?: readonly string[];
  readonly layout?: Layout;
  readonly includeManifest?: boolean;
  /** Of a batch that is still running: what there is. */
  readonly partial?: boolean;
  readonly outputPath: string;
}

export interface ExportToZipResult {
  readonly success: true;
  readonly zipPath: string;
  /** Media files: the manifest is not one of them. */
  readonly fileCount: number;
  /** Of the archive. */
  readonly sizeInBytes: number;
}

/**
 * The archive that `GET /api/export/zip` sends, as a file: written beside its path and moved there once it is whole, replacing what
 * was there. Each call counts as one download. Rejects as the request would be refused.
 */
export const exportToZip = async (
  { db, clock, storage }: ExportToZipDeps,
  options: ExportToZipOptions,
): Promise<ExportToZipResult> => {
  const { organizationId, campaignId, fileIds, outputPath: zipPath } = options;
  const order = orderOfBody({
    ...(campaignId === undefined ? {} : { campaignId }),
    ...(fileIds === undefined ? {} : { fileIds: [...fileIds] }),
    layout: options.layout ?? 'locale-first',
    manifest: options.includeManifest ?? false,
    partial: options.partial ?? false,
  });
  const begunAt = clock.now();
  const { entries, sizeInBytes, handedOut } = await prepareArchive(
    { db, storage, clock },
    organizationId,
    order,
  );
  await mkdir(dirname(zipPath), { recursive: true });
  const incoming = join(dirname(zipPath), `.${basename(zipPath)}.${randomUUID()}.part`);
  try {
    await pipeline(streamArchive(entries), createWriteStream(incoming, { flags: 'wx' }));
    const written = (await stat(incoming)).size;
    if (written !== sizeInBytes) throw wrongLength(written, sizeInBytes);
    await rename(incoming, zipPath);
  } catch (error) {
    await rm(incoming, { force: true });
    throw error;
  }
  const now = clock.now();
  await recordHandedOut(db, handedOut, now.getTime() - begunAt.getTime(), now);
  return { success: true, zipPath, fileCount: handedOut.facts.fileCount, sizeInBytes };
};

const wrongLength = (written: number, expected: number) =>
  new RendermillError('internal', {
    cause: new Error(`the archive has ${written} bytes instead of ${expected}`),
  });
