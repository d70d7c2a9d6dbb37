import { countDownload } from '../../domain/artifacts/count-download.ts';
import {
  closeDownloadWindow,
  type DownloadWindow,
  openDownloadWindow,
} from '../../domain/artifacts/download-window.ts';
import { emit } from '../../domain/events/emit.ts';
import type { Database, Tx } from '../../platform/db/client.ts';

/** What was handed out. */
export interface DownloadFacts {
  readonly exportType: 'zip' | 'single_file';
  readonly fileCount: number;
  readonly sizeInBytes: number;
  readonly format?: string;
  readonly fileId?: string;
  readonly exportId?: string;
  readonly batchId?: string;
}

export interface HandedOut {
  readonly organizationId: string;
  /** Absent: the files are of several users. */
  readonly userId?: string;
  /** The file, the batch, or the archive: what is counted. */
  readonly entity: { readonly type: string; readonly id: string };
  readonly facts: DownloadFacts;
  readonly archive?: { readonly organizationStrategy: string; readonly includesManifest: boolean };
  readonly correlationId?: string;
}

export interface CountedDownload extends HandedOut {
  readonly window: DownloadWindow;
}

const envelope = ({ organizationId, userId, entity, correlationId }: HandedOut, now: Date) => ({
  organizationId,
  ...(userId === undefined ? {} : { userId }),
  source: 'server' as const,
  occurredAt: now,
  entity,
  ...(correlationId === undefined ? {} : { correlationId }),
});

const emitBegun = async (tx: Tx, handed: HandedOut, now: Date) => {
  const { organizationId, entity } = handed;
  const downloads = await countDownload(tx, { organizationId, fileId: entity.id });
  await emit(tx, {
    name: 'export_downloaded',
    ...envelope(handed, now),
    properties: {
      ...handed.facts,
      ...handed.archive,
      download_count: downloads,
      second_download_attempt: downloads > 1,
      timestamp: now.toISOString(),
    },
  });
};

const emitCompleted = (tx: Tx, handed: HandedOut, durationMs: number, now: Date) =>
  emit(tx, {
    name: 'download_completed',
    ...envelope(handed, now),
    properties: { ...handed.facts, timestamp: now.toISOString(), duration: durationMs },
  });

/** Before the first byte. Once per link or client within the window. */
export const recordDownloadBegun = (db: Database, download: CountedDownload, now: Date): Promise<void> =>
  db.transaction().execute(async (tx) => {
    if (await openDownloadWindow(tx, download.window, now)) await emitBegun(tx, download, now);
  });

/** After the last byte, of a download that was counted. */
export const recordDownloadCompleted = (
  db: Database,
  download: CountedDownload,
  durationMs: number,
  now: Date,
): Promise<void> =>
  db.transaction().execute(async (tx) => {
    if (await closeDownloadWindow(tx, download.window, now))
      await emitCompleted(tx, download, durationMs, now);
  });

/** Of what was built on this machine, whole: both at once, each time. */
export const recordHandedOut = (
  db: Database,
  handed: HandedOut,
  durationMs: number,
  now: Date,
): Promise<void> =>
  db.transaction().execute(async (tx) => {
    await emitBegun(tx, handed, now);
    await emitCompleted(tx, handed, durationMs, now);
  });
