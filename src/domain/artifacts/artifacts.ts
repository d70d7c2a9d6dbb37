import type { Selectable } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import { isUuid, newId } from '../../core/ids.ts';
import type { Reader, Tx } from '../../platform/db/client.ts';
import type { ArtifactTable } from '../../platform/db/schema-artifacts.ts';

export type Artifact = Selectable<ArtifactTable>;

export interface NewArtifact {
  readonly organizationId: string;
  readonly exportId: string;
  readonly storageKey: string;
  readonly sizeInBytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  readonly mediaType: string;
  readonly width: number;
  readonly height: number;
  readonly durationSeconds: number | null;
  /** Of a video: whether it has a sound track. Null: a still, or not known. */
  readonly hasSound: boolean | null;
  /** When its tier's retention ends; null: never. */
  readonly expiresAt: Date | null;
}

export const recordArtifacts = async (
  tx: Tx,
  artifacts: readonly NewArtifact[],
  now: Date,
): Promise<void> => {
  if (artifacts.length === 0) return;
  await tx
    .insertInto('artifact')
    .values(
      artifacts.map((artifact) => ({
        file_id: newId(now),
        organization_id: artifact.organizationId,
        export_id: artifact.exportId,
        storage_key: artifact.storageKey,
        size_in_bytes: artifact.sizeInBytes,
        sha256: artifact.sha256,
        media_type: artifact.mediaType,
        width: artifact.width,
        height: artifact.height,
        duration_seconds: artifact.durationSeconds,
        has_sound: artifact.hasSound,
        expires_at: artifact.expiresAt,
        created_at: now,
      })),
    )
    .execute();
};

export const findArtifactsOf = async (
  db: Reader,
  exportIds: readonly string[],
): Promise<ReadonlyMap<string, Artifact>> => {
  if (exportIds.length === 0) return new Map();
  const rows = await db.selectFrom('artifact').selectAll().where('export_id', 'in', exportIds).execute();
  return new Map(rows.map((row) => [row.export_id, row]));
};

/** By file id alone: whoever asks must still show that the file is theirs. Never a path, whatever was sent. */
export const getArtifact = async (db: Reader, fileId: string): Promise<Artifact> => {
  const row = isUuid(fileId)
    ? await db.selectFrom('artifact').selectAll().where('file_id', '=', fileId).executeTakeFirst()
    : undefined;
  if (!row) throw new RendermillError('not_found', { message: 'There is no such file.' });
  return row;
};
