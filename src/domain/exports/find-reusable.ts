import type { Reader } from '../../platform/db/client.ts';
import { reuseMarginMs } from '../artifacts/retention.ts';
import type { RenderedFile } from './complete-export.ts';

/** A stored file that another export may have, too. */
export type ReusableFile = Omit<RenderedFile, 'renderTimeMs' | 'cached'> & { readonly contentHash: string };

/** The newest file under each content hash that does not expire soon; the caller makes sure that it is still there. Never another organization's. */
export const findReusable = async (
  db: Reader,
  organizationId: string,
  hashes: readonly string[],
  now: Date,
): Promise<readonly ReusableFile[]> => {
  if (hashes.length === 0) return [];
  const lastsUntil = new Date(now.getTime() + reuseMarginMs);
  const rows = await db
    .selectFrom('export')
    .innerJoin('artifact', 'artifact.export_id', 'export.id')
    .distinctOn('export.content_hash')
    .selectAll('artifact')
    .select('export.content_hash')
    .where('export.organization_id', '=', organizationId)
    .where('export.content_hash', 'in', [...new Set(hashes)])
    .where('export.status', '=', 'completed')
    .where('artifact.expired_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', lastsUntil)]))
    .orderBy('export.content_hash')
    .orderBy('export.completed_at', 'desc')
    .execute();
  return rows.flatMap((row) =>
    row.content_hash === null
      ? []
      : [
          {
            contentHash: row.content_hash,
            storageKey: row.storage_key,
            sizeInBytes: row.size_in_bytes,
            sha256: row.sha256,
            mediaType: row.media_type,
            width: row.width,
            height: row.height,
            durationSeconds: row.duration_seconds,
            hasSound: row.has_sound,
          },
        ],
  );
};
