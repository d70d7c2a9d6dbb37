import { RendermillError } from '../../core/errors.ts';
import { recordStorageErrors, type StorageFailure } from '../../domain/artifacts/record-storage-error.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { createRateCap } from '../../platform/clock/rate-cap.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';

type Wanted = Omit<StorageFailure, 'operation'>;

/** Rejects as the work does; what it found to be missing or damaged is recorded as `storage_error` before. */
export type RecordDamage = <T>(wanted: Wanted, work: () => Promise<T>) => Promise<T>;

/** Whoever holds a link may ask for a damaged file all day. */
const mostPerSecond = 10;
/** Of one archive, which may name thousands. */
const mostFiles = 20;

export const createDamageRecorder = (deps: { db: Database; clock: Clock; log: Logger }): RecordDamage => {
  const cap = createRateCap({
    mostPerSecond,
    onSkipped: (skipped) => deps.log.warn({ skipped }, 'more downloads of damaged files than are recorded'),
  });
  return async (wanted, work) => {
    try {
      return await work();
    } catch (error) {
      const isDamage = error instanceof RendermillError && error.code === 'file_damaged';
      if (isDamage && cap.take()) await recordStorageErrors(deps, failuresOf(wanted, error), error);
      throw error;
    }
  };
};

const failuresOf = (wanted: Wanted, { details }: RendermillError): StorageFailure[] => {
  const failure = { ...wanted, operation: 'read' } as const;
  const named = details?.fileIds;
  if (!Array.isArray(named)) return [failure];
  return named.slice(0, mostFiles).map((fileId) => ({ ...failure, fileId: String(fileId) }));
};
