import type { Writable } from 'node:stream';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import { type CountedDownload, recordDownloadCompleted } from './record-download.ts';

interface Deps {
  readonly db: Database;
  readonly clock: Clock;
  /** Of the request. */
  readonly log: { error(fields: object, message: string): void };
}

/** `finish`: the last byte was handed to the system; a client that went away before gives `close` alone. */
export const completeWithLastByte = (
  { db, clock, log }: Deps,
  answer: Writable,
  counted: CountedDownload,
  begunAt: Date,
): void => {
  answer.once('finish', () => {
    const now = clock.now();
    recordDownloadCompleted(db, counted, now.getTime() - begunAt.getTime(), now).catch((error: unknown) =>
      log.error({ err: error, entity: counted.entity }, 'download_completed could not be recorded'),
    );
  });
};
