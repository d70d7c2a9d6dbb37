import { RendermillError } from '../../core/errors.ts';
import type { NewEvent } from '../../core/events/new-event.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';
import { emitAll } from '../events/emit.ts';

export interface StorageFailure {
  readonly organizationId: string;
  readonly userId?: string;
  readonly operation: 'write' | 'read';
  readonly exportId?: string;
  readonly fileId?: string;
}

interface Deps {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Ours, or what the system calls it. */
const codeOf = (error: unknown): string => {
  if (error instanceof RendermillError) return error.code;
  const { code } = Object(error) as { code?: unknown };
  return typeof code === 'string' && /^[A-Z0-9_]{1,40}$/.test(code) ? code : 'internal';
};

const toEvent = (failure: StorageFailure, error: unknown, now: Date): NewEvent<'storage_error'> => {
  const { organizationId, userId, operation, exportId, fileId } = failure;
  const entity = exportId === undefined ? { type: 'artifact', id: fileId } : { type: 'export', id: exportId };
  return {
    name: 'storage_error',
    organizationId,
    ...(userId === undefined ? {} : { userId }),
    source: operation === 'write' ? 'worker' : 'server',
    occurredAt: now,
    ...(entity.id === undefined ? {} : { entity: { type: entity.type, id: entity.id } }),
    properties: {
      operation,
      error_code: codeOf(error),
      ...(exportId === undefined ? {} : { job_id: exportId }),
      ...(fileId === undefined ? {} : { fileId }),
    },
  };
};

/**
 * Records `storage_error` of each in a transaction of its own: what failed is being undone. Never rejects; what cannot be recorded
 * is logged.
 */
export const recordStorageErrors = async (
  { db, clock, log }: Deps,
  failures: readonly StorageFailure[],
  error: unknown,
): Promise<void> => {
  try {
    const now = clock.now();
    await db.transaction().execute((tx) =>
      emitAll(
        tx,
        failures.map((failure) => toEvent(failure, error, now)),
      ),
    );
  } catch (unrecorded) {
    log.warn({ err: unrecorded }, 'storage_error could not be recorded');
  }
};
