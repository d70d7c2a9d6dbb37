/** What a download has of storage: that it is all there, its name for a person's disk, and a URL of its own. */
import contentDisposition from 'content-disposition';
import { RendermillError } from '../../core/errors.ts';
import type { Artifact } from '../../domain/artifacts/artifacts.ts';
import type { Storage } from '../../platform/storage/contract.ts';
import { fileNameOf } from './file-name.ts';
import type { OpenedDownload } from './open-download.ts';

export type Disposition = 'attachment' | 'inline';

/** Of a URL of the storage. Long enough for a player that asks for one range after the other. */
const urlSeconds = 300;

/** What was promised must be there before a length is: a short file would leave the client waiting. */
export const assertWhole = async (storage: Storage, artifact: Artifact): Promise<void> => {
  const stored = await storage.stat(artifact.storage_key);
  if (stored?.sizeInBytes === artifact.size_in_bytes) return;
  throw new RendermillError('file_damaged', {
    cause: new Error(
      `${artifact.storage_key}: ${stored?.sizeInBytes ?? 'no'} bytes instead of ${artifact.size_in_bytes}`,
    ),
  });
};

export const dispositionOf = ({ export: row }: OpenedDownload, type: Disposition): string =>
  contentDisposition(fileNameOf(row), { type });

/** Null: the storage gives no URLs. */
export const presignFile = (
  storage: Storage,
  download: OpenedDownload,
  disposition: Disposition,
): Promise<string | null> =>
  storage.presign(download.artifact.storage_key, {
    expiresInSeconds: urlSeconds,
    disposition: dispositionOf(download, disposition),
    mediaType: download.artifact.media_type,
  });
