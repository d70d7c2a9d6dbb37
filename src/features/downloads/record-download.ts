import type { Artifact } from '../../domain/artifacts/artifacts.ts';
import {
  closeDownloadWindow,
  type DownloadWindow,
  openDownloadWindow,
} from '../../domain/artifacts/download-window.ts';
import { emit } from '../../domain/events/emit.ts';
import type { Export } from '../../domain/exports/export.ts';
import type { Database } from '../../platform/db/client.ts';

export interface CountedDownload {
  readonly artifact: Artifact;
  readonly export: Export;
  readonly window: DownloadWindow;
  readonly correlationId: string;
}

const facts = ({ artifact, export: row }: CountedDownload, now: Date) => ({
  exportType: 'single_file' as const,
  fileCount: 1,
  sizeInBytes: artifact.size_in_bytes,
  format: row.format,
  fileId: artifact.file_id,
  exportId: row.id,
  timestamp: now.toISOString(),
});

const envelope = ({ artifact, export: row, correlationId }: CountedDownload, now: Date) => ({
  organizationId: row.organization_id,
  userId: row.user_id,
  source: 'server' as const,
  occurredAt: now,
  entity: { type: 'artifact', id: artifact.file_id },
  correlationId,
});

/** Before the first byte. Once per link or client within the window. */
export const recordDownloadBegun = (db: Database, download: CountedDownload, now: Date): Promise<void> =>
  db.transaction().execute(async (tx) => {
    if (!(await openDownloadWindow(tx, download.window, now))) return;
    await emit(tx, {
      name: 'export_downloaded',
      ...envelope(download, now),
      properties: facts(download, now),
    });
  });

/** After the last byte, of a download that was counted. */
export const recordDownloadCompleted = (
  db: Database,
  download: CountedDownload,
  durationMs: number,
  now: Date,
): Promise<void> =>
  db.transaction().execute(async (tx) => {
    if (!(await closeDownloadWindow(tx, download.window, now))) return;
    await emit(tx, {
      name: 'download_completed',
      ...envelope(download, now),
      properties: { ...facts(download, now), duration: durationMs },
    });
  });
