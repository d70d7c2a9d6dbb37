import { randomUUID } from 'node:crypto';
import { link, readFile, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** What a running server writes into `postmaster.pid`: the truth about its port, which no configuration file is. */
export interface PostmasterFile {
  readonly pid: number;
  readonly port: number | undefined;
  /** `starting`, `stopping`, `ready` or `standby`; absent in the first moments. */
  readonly status: string | undefined;
  readonly text: string;
}

/** Lines: 1 pid, 2 folder, 3 start time, 4 port, 5 socket folder, 6 address, 7 shared memory, 8 status (src/include/utils/pidfile.h). */
export const parsePostmasterFile = (text: string): PostmasterFile | undefined => {
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]) || undefined, status: lines[7] || undefined, text };
};

const pathIn = (dataDirectory: string) => join(dataDirectory, 'postmaster.pid');

export const readPostmasterFile = async (dataDirectory: string): Promise<PostmasterFile | undefined> => {
  const text = await readFile(pathIn(dataDirectory), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return parsePostmasterFile(text);
};

/**
 * Removes the file of a server that is gone. Between reading and removing another process may have started a server, and one
 * whose file vanishes shuts itself down within a minute: the file is moved aside, looked at, and put back if it is a new one.
 */
export const removeStalePostmasterFile = async (
  dataDirectory: string,
  stale: PostmasterFile,
): Promise<void> => {
  const aside = `${pathIn(dataDirectory)}.${randomUUID()}`;
  try {
    await rename(pathIn(dataDirectory), aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== stale.text)
    await link(aside, pathIn(dataDirectory)).catch(() => undefined);
  await unlink(aside);
};
