/** The event log of a service of one's own, read from its database as it is, not through its API. */
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type LoggedEvent, readEventsAfter, startOfLog } from '../../src/domain/events/read-events.ts';
import { type Database, openDatabase } from '../../src/platform/db/client.ts';
import { startEmbeddedPostgres } from '../../src/platform/db/embedded/embedded-postgres.ts';
import { createLogger } from '../../src/platform/log/log.ts';

export interface EventLog {
  readonly db: Database;
  /** What was read so far, in the order of the log. */
  readonly events: readonly LoggedEvent[];
  /** Reads on until that is enough or the time is up; what is missing then is for the caller's checks to say. */
  readUntil(isEnough: (events: readonly LoggedEvent[]) => boolean, timeoutMs?: number): Promise<void>;
  close(): Promise<void>;
}

const lookEveryMs = 50;
const pageSize = 1_000;

/** Of a service that is up in this home, with the database that it started. */
export const openEventLog = async (home: string): Promise<EventLog> => {
  const log = createLogger({ level: 'warn' });
  const { url } = await startEmbeddedPostgres({ directory: resolve(join(home, 'postgres')), log });
  const { db, close } = openDatabase({ url, log, maxConnections: 2 });
  const events: LoggedEvent[] = [];
  let cursor = startOfLog;
  const readOn = async () => {
    for (;;) {
      const page = await readEventsAfter(db, cursor, { limit: pageSize });
      events.push(...page.events);
      cursor = page.next;
      if (page.events.length < pageSize) return;
    }
  };
  return {
    db,
    events,
    readUntil: async (isEnough, timeoutMs = 10_000) => {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        await readOn();
        if (isEnough(events) || performance.now() > deadline) return;
        await delay(lookEveryMs);
      }
    },
    close,
  };
};
