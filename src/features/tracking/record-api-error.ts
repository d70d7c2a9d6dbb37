/** `api_error`: that a tenant's request was answered with an error of ours, told after the answer and never in its way. */
import { emit } from '../../domain/events/emit.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import { createRateCap } from '../../platform/clock/rate-cap.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';

export interface FailedAnswer {
  readonly organizationId: string;
  /** Its pattern, as /api/render/:id. */
  readonly route: string;
  readonly method: string;
  /** HTTP status. */
  readonly status: number;
  /** Of the error catalog. */
  readonly code: string;
  readonly requestId: string;
}

export interface ApiErrorRecorder {
  record(failed: FailedAnswer): void;
  /** Resolves when what was given so far is written, or could not be. */
  settled(): Promise<void>;
}

/** When everything fails, the log needs no row of each. */
const mostPerSecond = 10;

export const createApiErrorRecorder = (deps: {
  db: Database;
  clock: Clock;
  log: Logger;
}): ApiErrorRecorder => {
  const cap = createRateCap({
    mostPerSecond,
    onSkipped: (skipped) => deps.log.warn({ skipped }, 'more answers failed than are recorded as api_error'),
  });
  // One after the other: they must not take the connections that the next requests need.
  let last: Promise<void> = Promise.resolve();

  const write = async (failed: FailedAnswer, occurredAt: Date): Promise<void> => {
    try {
      await deps.db.transaction().execute((tx) =>
        emit(tx, {
          name: 'api_error',
          organizationId: failed.organizationId,
          source: 'server',
          occurredAt,
          entity: { type: 'request', id: failed.requestId },
          correlationId: failed.requestId,
          properties: {
            route: failed.route,
            method: failed.method,
            status: failed.status,
            error_code: failed.code,
            request_id: failed.requestId,
          },
        }),
      );
    } catch (error) {
      deps.log.warn({ err: error, requestId: failed.requestId }, 'api_error could not be recorded');
    }
  };

  return {
    record: (failed) => {
      // Then this could not be written either.
      if (failed.code === 'database_unavailable' || !cap.take()) return;
      const occurredAt = deps.clock.now();
      last = last.then(() => write(failed, occurredAt));
    },
    settled: () => last,
  };
};
