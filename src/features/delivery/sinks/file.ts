/** Every event as a line of JSON at the end of a file, on the disk before it counts as delivered. */
import { type FileHandle, open, stat } from 'node:fs/promises';
import type { Verdict } from '../../../core/delivery/outcomes.ts';
import { toLines } from './console.ts';
import type { Sink } from './sink.ts';

/** Events are about people: only who runs the dispatcher reads them. */
const mode = 0o600;

export const createFileSink = ({ path }: { path: string }): Sink => {
  let handle: FileHandle | undefined;
  const close = async (): Promise<void> => {
    const closing = handle;
    handle = undefined;
    // What was delivered is on the disk already; a handle that cannot be closed is given up.
    await closing?.close().catch(() => undefined);
  };
  const append = async (lines: string): Promise<Verdict> => {
    try {
      if (handle !== undefined && !(await isStillAt(path, handle))) await close();
      handle ??= await open(path, 'a+', mode);
      await appendWhole(handle, lines);
      return { type: 'delivered' };
    } catch (error) {
      await close();
      return { type: 'unavailable', error: explain(path, error) };
    }
  };
  return {
    batchSize: 500,
    concurrency: 1,
    deliver: async (events) => {
      const verdict = await append(toLines(events));
      return events.map(() => verdict);
    },
    close,
  };
};

/** False where the file was renamed or removed, as rotation does. */
const isStillAt = async (path: string, handle: FileHandle): Promise<boolean> => {
  // Whatever stat fails for, opening the path anew says it better.
  const [there, ours] = await Promise.all([stat(path).catch(() => undefined), handle.stat()]);
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
};

/** One write, so that several dispatchers never mix their lines. */
const appendWhole = async (handle: FileHandle, lines: string): Promise<void> => {
  const bytes = Buffer.from((await endsInMidLine(handle)) ? `\n${lines}` : lines);
  const { bytesWritten } = await handle.write(bytes);
  if (bytesWritten < bytes.length)
    throw new Error(`only ${bytesWritten} of ${bytes.length} bytes were written`);
  if ((await handle.stat()).isFile()) await handle.datasync();
};

/** A crash or a full disk has left a piece of a line; what follows must not become part of it. */
const endsInMidLine = async (handle: FileHandle): Promise<boolean> => {
  const { size } = await handle.stat();
  if (size === 0) return false;
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== '\n'.charCodeAt(0);
};

const explain = (path: string, error: unknown): string => {
  const reason = error instanceof Error ? error.message : String(error);
  return `EVENT_FILE ${path} takes nothing: ${reason}`;
};
