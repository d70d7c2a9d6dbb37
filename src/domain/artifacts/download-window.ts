/** One download counts once per signed link or client within ten minutes, however many connections and ranges it takes. */
import { sql } from 'kysely';
import type { Database, Tx } from '../../platform/db/client.ts';
import { inParts } from '../../platform/db/in-parts.ts';

export const downloadWindowMinutes = 10;

export interface DownloadWindow {
  readonly organizationId: string;
  readonly fileId: string;
  /** A hash of the link, or of the key and the address that used it. */
  readonly client: string;
}

/** True for the first one within the window. */
export const openDownloadWindow = async (tx: Tx, window: DownloadWindow, now: Date): Promise<boolean> => {
  const before = new Date(now.getTime() - downloadWindowMinutes * 60_000);
  const { rows } = await sql`
    INSERT INTO download_window (organization_id, file_id, client, counted_at)
    VALUES (${window.organizationId}, ${window.fileId}, ${window.client}, ${now})
    ON CONFLICT (organization_id, file_id, client) DO UPDATE SET counted_at = excluded.counted_at, completed_at = NULL
      WHERE download_window.counted_at < ${before}
    RETURNING file_id`.execute(tx);
  return rows.length > 0;
};

/** True for the first last byte of a counted download. */
export const closeDownloadWindow = async (tx: Tx, window: DownloadWindow, now: Date): Promise<boolean> => {
  const closed = await tx
    .updateTable('download_window')
    .set({ completed_at: now })
    .where('organization_id', '=', window.organizationId)
    .where('file_id', '=', window.fileId)
    .where('client', '=', window.client)
    .where('completed_at', 'is', null)
    .returning('file_id')
    .execute();
  return closed.length > 0;
};

export const dropOldWindows = async (db: Database, now: Date): Promise<void> => {
  const before = new Date(now.getTime() - 24 * 3_600_000);
  await inParts((rows) =>
    sql`DELETE FROM download_window WHERE counted_at < ${before} AND ctid = ANY (ARRAY(
      SELECT ctid FROM download_window WHERE counted_at < ${before} LIMIT ${rows}))`.execute(db),
  );
};
