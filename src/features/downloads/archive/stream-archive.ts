import type { Readable } from 'node:stream';
import { ZipArchive } from 'archiver';
import type { ZipEntry } from '../../../core/archive/zip-length.ts';
import { RendermillError } from '../../../core/errors.ts';
import { installNativeCrc } from './native-crc.ts';

installNativeCrc();

export interface ArchiveEntry extends ZipEntry {
  /** Stored in UTC, to two seconds. */
  readonly modifiedAt: Date;
  /** Called when its turn has come. */
  open(): Promise<Readable>;
}

/**
 * A ZIP of stored entries, as long as `zipLength` says. One source is open at a time, and none once the stream is destroyed. A
 * source that breaks, or gives another number of bytes than it promised, destroys the stream: an archive is whole or it has no
 * end.
 */
export const streamArchive = (entries: Iterable<ArchiveEntry>): Readable => {
  const archive = new ZipArchive({ store: true });
  // Whoever reads it may come a moment later than the first error.
  archive.on('error', () => undefined);
  fill(archive, entries).catch((error: unknown) => archive.destroy(toError(error)));
  return archive;
};

const toError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const fill = async (archive: ZipArchive, entries: Iterable<ArchiveEntry>): Promise<void> => {
  for (const entry of entries) {
    const source = await entry.open();
    await append(archive, entry, source);
    if (archive.destroyed) return;
  }
  await archive.finalize();
};

/**
 * Resolves once the archive has taken the whole entry, or is destroyed, and the source is closed. archiver itself hears of no error
 * of a source.
 */
const append = (archive: ZipArchive, entry: ArchiveEntry, source: Readable): Promise<void> =>
  new Promise((resolve, reject) => {
    let received = 0;
    const settle = (error?: unknown) => {
      archive.off('entry', taken).off('close', settle);
      const done = () => (error === undefined ? resolve() : reject(error));
      if (source.closed) return done();
      source.once('close', done).destroy();
    };
    const taken = () => settle(received === entry.sizeInBytes ? undefined : cutShort(entry, received));
    source.on('error', settle);
    if (archive.destroyed) return settle();
    archive.once('entry', taken).once('close', settle);
    archive.append(source, { name: entry.name, date: entry.modifiedAt, mode: 0o644 });
    source.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    // Closed without an end: nothing more would come, and archiver would wait.
    source.once('close', () => {
      if (received < entry.sizeInBytes) settle(cutShort(entry, received));
    });
  });

const cutShort = ({ name, sizeInBytes }: ArchiveEntry, received: number) =>
  new RendermillError('file_damaged', {
    cause: new Error(`${name} gave ${received} bytes instead of ${sizeInBytes}`),
  });
