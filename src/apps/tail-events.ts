import { endOfLog, type LoggedEvent, readEventsAfter, startOfLog } from '../domain/events/read-events.ts';
import { startWakeableLoop, type WakeableLoop } from '../platform/clock/wakeable-loop.ts';
import type { Database } from '../platform/db/client.ts';
import type { Listener } from '../platform/db/listener.ts';
import type { Logger } from '../platform/log/log.ts';

export interface TailOptions {
  /** Else from the end of the log as it is now. */
  readonly sinceStart: boolean;
  readonly organizationId: string | undefined;
  readonly print: (event: LoggedEvent) => void;
}

/**
 * A commit rings; this is for a ring that was lost, and for an event that became readable later than it rang because an older
 * transaction was still open.
 */
const lookEveryMs = 1_000;
const pageSize = 500;

/** Prints every event once, in the order of the log, until it is stopped; an outage of the database is waited for. */
export const tailEvents = async (
  { db, listener, log }: { db: Database; listener: Listener; log: Logger },
  options: TailOptions,
): Promise<WakeableLoop> => {
  const filter = options.organizationId === undefined ? {} : { organizationId: options.organizationId };
  let cursor = options.sinceStart ? startOfLog : await endOfLog(db);
  let stopped = false;
  const printPage = async (): Promise<boolean> => {
    const page = await readEventsAfter(db, cursor, { limit: pageSize, ...filter });
    for (const event of page.events) options.print(event);
    cursor = page.next;
    return page.events.length === pageSize;
  };
  const loop = startWakeableLoop({
    everyMs: lookEveryMs,
    round: async () => {
      while (!stopped && (await printPage()));
    },
    onError: (error) => log.warn({ err: error }, 'the event log could not be read; trying again'),
  });
  const off = listener.on('rendermill_event', loop.wake);
  return {
    wake: loop.wake,
    stop: async () => {
      stopped = true;
      off();
      await loop.stop();
      // What was committed a moment ago may have rung too late: the end of the last render, at a stop.
      await printPage().catch((error) => log.debug({ err: error }, 'the last events could not be read'));
    },
  };
};
