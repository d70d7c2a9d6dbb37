import { sql } from 'kysely';
import type { Database, Reader } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Storage } from '../../platform/storage/contract.ts';

interface Deps {
  readonly db: Database;
  readonly storage: Storage;
  readonly log: Logger;
}

interface DueArtifact {
  readonly file_id: string;
  readonly storage_key: string;
  /** Another artifact, whose time has not come, has the same blob. */
  readonly is_shared: boolean;
}

const filesAtOnce = 100;
const deletionsAtOnce = 10;
/** A storage that is away keeps what it has until the next time. */
const mostFailures = 300;

/**
 * Removes the files whose time has come, and marks them: the records stay. A blob goes with the last artifact that has it, and before
 * the mark: what dies in between, or cannot be deleted, is due again. Any number of processes may do it at once; two that meet delete
 * the same blob, which is nothing the second time. No transaction is open while the storage works: the cursors of the event log would
 * wait for it. Resolves with how many were marked.
 */
export const expireArtifacts = async (deps: Deps, now: Date): Promise<number> => {
  let expired = 0;
  const failed: string[] = [];
  for (;;) {
    const due = await findDue(deps.db, failed, now);
    const removed = new Set(await removeBlobs(deps, due));
    expired += await markExpired(deps.db, [...removed], now);
    failed.push(...due.map((one) => one.file_id).filter((id) => !removed.has(id)));
    if (due.length < filesAtOnce || failed.length >= mostFailures) return expired;
  }
};

const findDue = async (db: Reader, except: readonly string[], now: Date): Promise<DueArtifact[]> => {
  const { rows } = await sql<DueArtifact>`
    SELECT file_id, storage_key, EXISTS (
      SELECT FROM artifact AS other WHERE other.storage_key = artifact.storage_key AND other.expired_at IS NULL
        AND (other.expires_at IS NULL OR other.expires_at > ${now})) AS is_shared
    FROM artifact WHERE expired_at IS NULL AND expires_at <= ${now} AND file_id <> ALL (${sql.val(except)}::uuid[])
    ORDER BY expires_at LIMIT ${filesAtOnce}`.execute(db);
  return rows;
};

/** The ids of those whose blob is gone, or is another's, too. */
const removeBlobs = async ({ storage, log }: Deps, due: readonly DueArtifact[]): Promise<string[]> => {
  const removed: string[] = [];
  const left = [...due];
  const work = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) {
      try {
        if (!one.is_shared) await storage.delete(one.storage_key);
        removed.push(one.file_id);
      } catch (err) {
        log.warn({ err, fileId: one.file_id }, 'an expired file could not be deleted; it is tried again');
      }
    }
  };
  await Promise.all(Array.from({ length: deletionsAtOnce }, work));
  return removed;
};

const markExpired = async (db: Database, fileIds: readonly string[], now: Date): Promise<number> => {
  if (fileIds.length === 0) return 0;
  const { numUpdatedRows } = await db
    .updateTable('artifact')
    .set({ expired_at: now })
    .where('file_id', 'in', [...fileIds])
    .where('expired_at', 'is', null)
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
};
