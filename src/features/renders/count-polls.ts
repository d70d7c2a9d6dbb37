/**
 * How often the state of a render is asked for: counted in memory, so that asking stays as cheap as reading, and written together
 * after a second. A process that is killed takes the counts of its last second along.
 */
import { isFinal } from '../../core/exports.ts';
import { addStatusPolls } from '../../domain/exports/add-status-polls.ts';
import type { Export } from '../../domain/exports/export.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Logger } from '../../platform/log/log.ts';

export interface PollCounter {
  count(asked: Pick<Export, 'id' | 'status'>): void;
  /** Writes what is left, and resolves when all is written. */
  stop(): Promise<void>;
}

const writeEveryMs = 1_000;

export const createPollCounter = ({ db, log }: { db: Database; log: Logger }): PollCounter => {
  let polls = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  const write = async () => {
    const counted = polls;
    polls = new Map();
    try {
      await addStatusPolls(db, counted);
    } catch (error) {
      log.warn({ err: error, exports: counted.size }, 'the polls of the last second were not counted');
    }
  };
  const writeNext = async () => {
    await write();
    timer = undefined;
    if (polls.size > 0) schedule();
  };
  const schedule = () => {
    timer ??= setTimeout(() => {
      writing = writeNext();
    }, writeEveryMs).unref();
  };

  return {
    count: ({ id, status }) => {
      if (isFinal(status)) return;
      polls.set(id, (polls.get(id) ?? 0) + 1);
      schedule();
    },
    stop: async () => {
      await writing;
      clearTimeout(timer);
      await write();
    },
  };
};
