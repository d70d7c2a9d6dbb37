import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { OpenedDownload } from './open-download.ts';
import { type CountedDownload, recordDownloadBegun } from './record-download.ts';

export const countedFile = (
  { artifact, export: row, client }: OpenedDownload,
  requestId: string,
): CountedDownload => ({
  organizationId: artifact.organization_id,
  userId: row.user_id,
  entity: { type: 'artifact', id: artifact.file_id },
  facts: {
    exportType: 'single_file',
    fileCount: 1,
    sizeInBytes: artifact.size_in_bytes,
    format: row.format,
    fileId: artifact.file_id,
    exportId: row.id,
  },
  window: { organizationId: artifact.organization_id, fileId: artifact.file_id, client },
  correlationId: requestId,
});

/** A part that begins later belongs to a download that was counted. */
export const countFileBegun = async (
  { db, clock }: { db: Database; clock: Clock },
  counted: CountedDownload,
  { start }: { start: number },
): Promise<void> => {
  if (start === 0) await recordDownloadBegun(db, counted, clock.now());
};
