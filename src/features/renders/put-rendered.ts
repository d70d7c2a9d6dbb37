import { recordStorageErrors } from '../../domain/artifacts/record-storage-error.ts';
import type { Export } from '../../domain/exports/export.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { Storage, WrittenObject } from '../../platform/storage/contract.ts';
import { whileUnavailable } from './while-unavailable.ts';

interface PutDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  readonly storage: Storage;
}

/**
 * Moves what was rendered into storage, and waits for one that is away. A storage that does not take it is recorded as
 * `storage_error`.
 */
export const putRendered = async (
  deps: PutDeps,
  row: Export,
  key: string,
  path: string,
): Promise<WrittenObject> => {
  try {
    // What was rendered is worth waiting for a storage that is away.
    return await whileUnavailable(deps.log, () => deps.storage.putFile(key, path));
  } catch (error) {
    const failure = {
      organizationId: row.organization_id,
      userId: row.user_id,
      operation: 'write',
      exportId: row.id,
    } as const;
    await recordStorageErrors(deps, [failure], error);
    throw error;
  }
};
