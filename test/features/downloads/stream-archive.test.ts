import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zipLength } from '../../../src/core/archive/zip-length.ts';
import { type ArchiveEntry, streamArchive } from '../../../src/features/downloads/archive/stream-archive.ts';
import { readBack, unzipTest } from './read-back.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-zip-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const modifiedAt = new Date('2026-03-10T12:34:56.789Z');
const entryOf = (name: string, content: Buffer): ArchiveEntry => ({
  name,
  sizeInBytes: content.length,
  modifiedAt,
  open: async () => Readable.from(content.length === 0 ? [] : [content]),
});
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');
const lengthOf = async (archive: Readable): Promise<number> => {
  let length = 0;
  for await (const chunk of archive) length += (chunk as Buffer).length;
  return length;
};

/** With holes for what is nothing but zeros: gigabytes of them need no disk. */
const writeSparsely = async (archive: Readable, path: string): Promise<void> => {
  const file = await open(path, 'w');
  let at = 0;
  for await (const chunk of archive as AsyncIterable<Buffer>) {
    if (!chunk.equals(Buffer.alloc(chunk.length))) await file.write(chunk, 0, chunk.length, at);
    at += chunk.length;
  }
  await file.truncate(at);
  await file.close();
};

const segment = fc.stringMatching(/^[a-zA-Z0-9äöüßéलामपユーザ🙂][a-z0-9_.-]{0,30}$/u);
const content = fc.oneof(
  fc.constant(Buffer.alloc(0)),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
  fc.integer({ min: 1, max: 400_000 }).map((size) => Buffer.alloc(size, size % 251)),
);
const files = fc.uniqueArray(
  fc.record({ name: fc.tuple(segment, segment).map((parts) => parts.join('/')), content }),
  {
    maxLength: 30,
    selector: (file) => file.name,
  },
);

describe('an archive', () => {
  test('of 100 random ones is as long as was said, and read back by others byte for byte', {
    timeout: 180_000,
  }, async () => {
    let made = 0;
    await fc.assert(
      fc.asyncProperty(files, async (list) => {
        const path = join(folder, `random-${made++}.zip`);
        const entries = list.map((file) => entryOf(file.name, file.content));
        await pipeline(streamArchive(entries), createWriteStream(path));
        expect((await stat(path)).size).toBe(zipLength(entries));
        expect(await readBack(path)).toEqual(
          list.map((file) => ({
            name: file.name,
            size: file.content.length,
            sha256: sha256(file.content),
            stored: true,
            modified: '2026-03-10T12:34:56',
          })),
        );
        if (list.length > 0) await unzipTest(path);
        await rm(path);
      }),
      { numRuns: 100 },
    );
    expect(made).toBeGreaterThanOrEqual(100);
  });

  test('of more entries than 16 bits count is as long as was said, and read back by others', {
    timeout: 120_000,
  }, async () => {
    for (const count of [65_534, 65_535, 65_536]) {
      const entries = Array.from({ length: count }, (_, index) =>
        entryOf(`${index}/é.txt`, Buffer.from(String(index))),
      );
      const path = join(folder, `many-${count}.zip`);
      await pipeline(streamArchive(entries), createWriteStream(path));
      expect((await stat(path)).size).toBe(zipLength(entries));
      if (count === 65_536) {
        const found = await readBack(path);
        expect(found).toHaveLength(count);
        expect(found.at(-1)).toMatchObject({
          name: `${count - 1}/é.txt`,
          sha256: sha256(Buffer.from(String(count - 1))),
        });
        await unzipTest(path);
      }
      await rm(path);
    }
  });

  test('of an entry beyond 4 GiB, and of one behind it, is as long as was said, and read back by others', {
    timeout: 300_000,
  }, async () => {
    const large = 2 ** 32 + 12_345;
    const source = join(folder, 'sparse');
    await writeFile(source, '');
    await truncate(source, large);
    const entries: ArchiveEntry[] = [
      entryOf('small.png', Buffer.from('first')),
      {
        name: 'large-ü.mp4',
        sizeInBytes: large,
        modifiedAt,
        open: async () => createReadStream(source, { highWaterMark: 1024 * 1024 }),
      },
      entryOf('behind.png', Buffer.from('last')),
    ];
    const path = join(folder, 'large.zip');
    await writeSparsely(streamArchive(entries), path);
    expect((await stat(path)).size).toBe(zipLength(entries));
    await unzipTest(path);
    expect((await readBack(path)).map(({ name, size }) => [name, size])).toEqual([
      ['small.png', 5],
      ['large-ü.mp4', large],
      ['behind.png', 4],
    ]);
    await rm(path);
    await rm(source);
  });

  test('of the same entries is the same bytes', async () => {
    const make = async () => {
      const hash = createHash('sha256');
      const entries = [entryOf('a/b.png', Buffer.from('one')), entryOf('c.png', Buffer.from('two'))];
      for await (const chunk of streamArchive(entries)) hash.update(chunk as Buffer);
      return hash.digest('hex');
    };
    expect(await make()).toBe(await make());
  });

  test('opens each source when its turn has come, and closes it before the next', async () => {
    let open = 0;
    let mostOpen = 0;
    const opened: string[] = [];
    const entries = ['a', 'b', 'c', 'd'].map((name): ArchiveEntry => {
      const bytes = Buffer.alloc(3 * 1024 * 1024, name);
      return {
        name,
        sizeInBytes: bytes.length,
        modifiedAt,
        open: async () => {
          opened.push(name);
          open += 1;
          mostOpen = Math.max(mostOpen, open);
          const chunks = Array.from({ length: 48 }, (_, index) =>
            bytes.subarray(index * 65_536, (index + 1) * 65_536),
          );
          return Readable.from(chunks).once('close', () => {
            open -= 1;
          });
        },
      };
    });
    const archive = streamArchive(entries);
    await expect.poll(() => opened).toEqual(['a']);
    // Nobody has read yet: what is buffered is less than one file, so the second waits.
    await new Promise((resolve) => setImmediate(resolve));
    expect(opened).toEqual(['a']);
    expect(await lengthOf(archive)).toBe(zipLength(entries));
    expect(opened).toEqual(['a', 'b', 'c', 'd']);
    expect([open, mostOpen]).toEqual([0, 1]);
  });
});

describe('an archive breaks', () => {
  const whole = entryOf('whole', Buffer.alloc(10));
  const failing = (open: ArchiveEntry['open']): ArchiveEntry => ({
    name: 'bad',
    sizeInBytes: 1000,
    modifiedAt,
    open,
  });

  test.each<[string, ArchiveEntry, RegExp]>([
    ['cannot be opened', failing(() => Promise.reject(new Error('gone'))), /gone/],
    [
      'fails in the middle',
      failing(async () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(500);
            throw new Error('disk');
          })(),
        ),
      ),
      /disk/,
    ],
    ['ends early', failing(async () => Readable.from([Buffer.alloc(999)])), /missing or damaged/],
    ['is empty', failing(async () => Readable.from([])), /missing or damaged/],
    ['goes on for too long', failing(async () => Readable.from([Buffer.alloc(1001)])), /missing or damaged/],
    [
      'is closed without an end',
      failing(
        async () =>
          new Readable({
            read() {
              if (this.readableLength > 0 || this.listenerCount('data') === 0) return;
              this.push(Buffer.alloc(10));
              this.destroy();
            },
          }),
      ),
      /missing or damaged/,
    ],
  ])('when a source %s', async (_name, bad, message) => {
    await expect(lengthOf(streamArchive([whole, bad, whole]))).rejects.toThrow(message);
  });

  test('off when its reader goes away: the source that is open is destroyed, and no other is opened', async () => {
    let destroyed = 0;
    let opened = 0;
    const endless = failing(async () => {
      opened += 1;
      return new Readable({
        read() {
          setImmediate(() => this.push(Buffer.alloc(65_536)));
        },
        destroy(error, callback) {
          destroyed += 1;
          callback(error);
        },
      });
    });
    const archive = streamArchive([whole, { ...endless, sizeInBytes: 2 ** 40 }, endless]);
    let seen = 0;
    const sink = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        seen += chunk.length;
        callback(seen > 5_000_000 ? new Error('the reader has left') : null);
      },
    });
    await expect(pipeline(archive, sink)).rejects.toThrow('the reader has left');
    await expect.poll(() => destroyed).toBe(1);
    expect(opened).toBe(1);
  });

  test('off before its first source is open: that one is destroyed as soon as it is', async () => {
    let give: (source: Readable) => void = () => undefined;
    const archive = streamArchive([
      failing(
        () =>
          new Promise((resolve) => {
            give = resolve;
          }),
      ),
    ]);
    archive.destroy();
    const source = Readable.from([Buffer.alloc(1000)]);
    give(source);
    await expect.poll(() => source.destroyed).toBe(true);
  });
});
