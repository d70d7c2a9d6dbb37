import { endOfLog, type LoggedEvent, readEventsAfter } from '../../domain/events/read-events.ts';
import { startWakeableLoop, type WakeableLoop } from '../../platform/clock/wakeable-loop.ts';
import type { Resources } from '../resources.ts';

const lookEveryMs = 2_000;
const pageSize = 200;

const shown = [
  'compositionId',
  'kind',
  'format',
  'width',
  'height',
  'sizeInBytes',
  'duration',
  'error_code',
  'failure_reason',
] as const;

/** One line: when, what, whose, and what a person would ask next. */
export const formatEvent = (event: LoggedEvent): string => {
  const facts = shown
    .filter((name) => event.properties[name] !== undefined)
    .map((name) => `${name}=${event.properties[name]}`);
  const time = event.occurredAt.toISOString().slice(11, 23);
  return `${time}  ${event.event.padEnd(24)} ${event.userId ?? '-'}  ${event.entityId ?? ''}  ${facts.join(' ')}`.trimEnd();
};

/** Prints each event from now on, as it is committed. */
export const printEvents = async (
  { db, listener, log }: Resources,
  print: (line: string) => void,
): Promise<WakeableLoop> => {
  let cursor = await endOfLog(db);
  const loop = startWakeableLoop({
    everyMs: lookEveryMs,
    round: async () => {
      for (;;) {
        const page = await readEventsAfter(db, cursor, { limit: pageSize });
        for (const event of page.events) print(formatEvent(event));
        cursor = page.next;
        if (page.events.length < pageSize) return;
      }
    },
    onError: (error) => log.warn({ err: error }, 'events could not be read'),
  });
  const off = listener.on('rendermill_event', loop.wake);
  return {
    wake: loop.wake,
    stop: async () => {
      off();
      await loop.stop();
    },
  };
};
