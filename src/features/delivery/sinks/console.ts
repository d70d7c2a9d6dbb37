/** Every event as a line of JSON on an output, for development. */
import type { Verdict } from '../../../core/delivery/outcomes.ts';
import type { SinkEvent } from '../../../core/delivery/sink-event.ts';
import { toCanonicalEvent } from '../../../core/events/canonical-event.ts';
import type { Sink } from './sink.ts';

/** `process.stdout` is one. */
export interface Output {
  /** Calls back when the text has been taken. */
  write(text: string, done: (error?: Error | null) => void): unknown;
}

export const createConsoleSink = ({ output }: { output: Output }): Sink => ({
  batchSize: 100,
  concurrency: 1,
  deliver: async (events) => {
    const verdict = await write(output, toLines(events));
    return events.map(() => verdict);
  },
  close: async () => undefined,
});

/** JSON escapes line breaks: an event is one line, whatever its texts are. */
export const toLines = (events: readonly SinkEvent[]): string =>
  events.map((event) => `${JSON.stringify(toCanonicalEvent(event))}\n`).join('');

const write = (output: Output, text: string): Promise<Verdict> =>
  new Promise((resolve) => {
    output.write(text, (error) =>
      resolve(
        error
          ? { type: 'unavailable', error: `The output takes nothing: ${error.message}` }
          : { type: 'delivered' },
      ),
    );
  });
