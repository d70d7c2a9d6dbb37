/** What every driver of the storage port keeps. A driver's test calls this with a way to make an empty storage of its kind. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Storage } from '../../../src/platform/storage/contract.ts';

interface EmptyStorage {
  readonly storage: Storage;
  remove(): Promise<void>;
}

const bytesOf = (content: string) => Readable.from([Buffer.from(content)]);
const sha256 = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');
const refused = [
  '',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  'a/../b',
  './a',
  '.incoming/a',
  'A',
  'a b',
  'ä',
  'a\\b',
  'a\0',
  'a\n',
];

export const keysOf = async (storage: Storage, prefix: string): Promise<string[]> => {
  const keys: string[] = [];
  for await (const { key } of storage.list(prefix)) keys.push(key);
  return keys;
};

export const describeStorage = (name: string, makeEmpty: () => Promise<EmptyStorage>): void => {
  describe(`the storage contract, kept by ${name}`, () => {
    let empty: EmptyStorage;
    let storage: Storage;
    let local: string;

    beforeEach(async () => {
      empty = await makeEmpty();
      storage = empty.storage;
      local = await mkdtemp(join(tmpdir(), 'storage-contract-'));
    });
    afterEach(async () => {
      await empty.remove();
      await rm(local, { recursive: true });
    });

    it('gives back what was put, with its size and sha256, and replaces it', async () => {
      expect(await storage.put('a/b.txt', bytesOf('first'))).toEqual({
        sizeInBytes: 5,
        sha256: sha256('first'),
      });
      await storage.put('a/b.txt', bytesOf('second'));
      expect(await text(await storage.read('a/b.txt'))).toBe('second');
      expect(await storage.stat('a/b.txt')).toEqual({
        key: 'a/b.txt',
        sizeInBytes: 6,
        lastModified: expect.any(Date),
      });
    });

    it('keeps an empty object, and one of several megabytes', async () => {
      const large = Buffer.alloc(5_000_000, 'rendermill ');
      await storage.put('empty', Readable.from([]));
      const written = await storage.put(
        'large',
        Readable.from([large.subarray(0, 3_000_001), large.subarray(3_000_001)]),
      );
      expect(written).toEqual({ sizeInBytes: large.length, sha256: sha256(large) });
      expect(await text(await storage.read('empty'))).toBe('');
      expect(sha256(await buffer(await storage.read('large')))).toBe(written.sha256);
    });

    it('moves a file in', async () => {
      const path = join(local, 'video.mp4');
      await writeFile(path, 'frames');
      expect(await storage.putFile('v/video.mp4', path)).toEqual({
        sizeInBytes: 6,
        sha256: sha256('frames'),
      });
      expect(await text(await storage.read('v/video.mp4'))).toBe('frames');
      await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
      await expect(storage.putFile('v/other.mp4', path)).rejects.toMatchObject({ code: 'ENOENT' });
    });

    it.each([2, 9])(
      'keeps a body of %i parts of 4 MiB, whatever the chunks that it comes in',
      async (parts) => {
        const content = randomBytes(parts * 4 * 1024 * 1024);
        const chunks = function* () {
          for (let at = 0; at < content.length; at += 1_000_003) yield content.subarray(at, at + 1_000_003);
        };
        const written = await storage.put('parts', Readable.from(chunks()));
        expect(written).toEqual({ sizeInBytes: content.length, sha256: sha256(content) });
        expect((await buffer(await storage.read('parts'))).equals(content)).toBe(true);
        const end = await buffer(
          await storage.read('parts', { start: content.length - 9, end: content.length }),
        );
        expect(end.equals(content.subarray(-9))).toBe(true);
      },
    );

    it('moves a large file in', async () => {
      const path = join(local, 'video.mp4');
      const content = randomBytes(20_000_000);
      await writeFile(path, content);
      expect(await storage.putFile('v/large.mp4', path)).toEqual({
        sizeInBytes: content.length,
        sha256: sha256(content),
      });
      expect(await readdir(local)).toEqual([]);
      expect((await buffer(await storage.read('v/large.mp4'))).equals(content)).toBe(true);
    });

    it('lets a read be ended in its middle', async () => {
      await storage.put('large', Readable.from([Buffer.alloc(20_000_000, 1)]));
      const stream = await storage.read('large');
      await once(stream, 'data');
      const closed = once(stream, 'close');
      stream.destroy();
      await closed;
      expect((await storage.stat('large'))?.sizeInBytes).toBe(20_000_000);
    });

    it('reads ranges with both ends included', async () => {
      await storage.put('digits', bytesOf('0123456789'));
      const part = async (start: number, end: number) => text(await storage.read('digits', { start, end }));
      expect(await part(0, 0)).toBe('0');
      expect(await part(2, 4)).toBe('234');
      expect(await part(9, 9)).toBe('9');
      expect(await part(7, 1000)).toBe('789');
    });

    it('refuses a range that lies outside the object', async () => {
      await storage.put('digits', bytesOf('0123456789'));
      await storage.put('empty', Readable.from([]));
      const outside = { code: 'range_not_satisfiable' };
      await expect(storage.read('digits', { start: 10, end: 12 })).rejects.toMatchObject(outside);
      await expect(storage.read('digits', { start: 5, end: 4 })).rejects.toMatchObject(outside);
      await expect(storage.read('empty', { start: 0, end: 0 })).rejects.toMatchObject(outside);
    });

    it('puts if absent exactly once, however many try at once', async () => {
      const writers = Array.from({ length: 20 }, (_, index) => `writer ${index}`);
      const wrote = await Promise.all(writers.map((one) => storage.putIfAbsent('x/once', bytesOf(one))));
      expect(wrote.filter(Boolean)).toHaveLength(1);
      const winner = writers[wrote.indexOf(true)];
      const late = bytesOf('late');
      expect(await storage.putIfAbsent('x/once', late)).toBe(false);
      expect(late.destroyed).toBe(true);
      expect(await text(await storage.read('x/once'))).toBe(winner);
    });

    it('shows a large object only when it is whole, and replaces it in one moment', async () => {
      const half = 12 * 1024 * 1024;
      for (const [before, value] of [
        [null, 1],
        [2 * half, 2],
      ] as const) {
        const source = new PassThrough();
        const written = storage.put('a/large', source);
        if (!source.write(Buffer.alloc(half, value))) await once(source, 'drain');
        expect((await storage.stat('a/large'))?.sizeInBytes ?? null).toBe(before);
        source.end(Buffer.alloc(half, value));
        await written;
        const bytes = await buffer(await storage.read('a/large'));
        expect([bytes.length, bytes.at(0), bytes.at(-1)]).toEqual([2 * half, value, value]);
      }
    });

    it('shows nothing of a body that fails, and leaves what was there', async () => {
      const failing = (bytes = 4) =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(bytes, 'half');
            throw new Error('the source broke');
          })(),
        );
      await storage.put('kept', bytesOf('whole'));
      await expect(storage.put('kept', failing())).rejects.toThrow('the source broke');
      await expect(storage.put('new', failing())).rejects.toThrow('the source broke');
      await expect(storage.putIfAbsent('new', failing())).rejects.toThrow('the source broke');
      await expect(storage.put('kept', failing(30_000_000))).rejects.toThrow('the source broke');
      await expect(storage.putIfAbsent('new', failing(30_000_000))).rejects.toThrow('the source broke');
      expect(await text(await storage.read('kept'))).toBe('whole');
      expect(await keysOf(storage, '')).toEqual(['kept']);
    });

    it('does not know what was never put, and deletes it without complaint', async () => {
      await expect(storage.read('none/here')).rejects.toMatchObject({ code: 'not_found' });
      expect(await storage.stat('none/here')).toBeNull();
      await storage.delete('none/here');
      expect(await keysOf(storage, 'none')).toEqual([]);
    });

    it('forgets what was deleted, and nothing beside it', async () => {
      await storage.put('a/b/one', bytesOf('1'));
      await storage.put('a/b/two', bytesOf('2'));
      await storage.delete('a/b/one');
      expect(await storage.stat('a/b/one')).toBeNull();
      expect(await keysOf(storage, '')).toEqual(['a/b/two']);
    });

    it('lists by key, and by prefixes that end at a segment', async () => {
      const keys = ['a', 'b-c/x', 'b.c', 'b/a', 'b/a.b/deep', 'b/b', 'b0', 'bb/x'];
      for (const key of [...keys].reverse()) await storage.put(key, bytesOf(key));
      expect(await keysOf(storage, '')).toEqual([...keys].sort());
      expect(await keysOf(storage, 'b')).toEqual(['b/a', 'b/a.b/deep', 'b/b']);
      expect(await keysOf(storage, 'b/')).toEqual(['b/a', 'b/a.b/deep', 'b/b']);
      expect(await keysOf(storage, 'b/a.b')).toEqual(['b/a.b/deep']);
      expect(await keysOf(storage, 'a')).toEqual(['a']);
    });

    it('takes every key that the rules allow', async () => {
      const odd = [
        '_',
        '-',
        '0',
        'a..b',
        'a.',
        '-._-/--/a._-',
        `${'long-'.repeat(51)}/${'x'.repeat(255)}/end`,
      ];
      for (const key of odd) await storage.put(key, bytesOf(key));
      expect(await keysOf(storage, '')).toEqual([...odd].sort());
      for (const key of odd) {
        expect(await text(await storage.read(key))).toBe(key);
        await storage.delete(key);
      }
      expect(await keysOf(storage, '')).toEqual([]);
    });

    it('lists more than fit on a page', async () => {
      const keys = Array.from({ length: 1_010 }, (_, index) => `many/${String(index).padStart(5, '0')}`);
      for (let at = 0; at < keys.length; at += 100) {
        await Promise.all(keys.slice(at, at + 100).map((key) => storage.put(key, bytesOf('x'))));
      }
      expect(await keysOf(storage, 'many')).toEqual(keys);
      for await (const { key } of storage.list('many')) {
        expect(key).toBe('many/00000');
        break;
      }
    });

    it.each(refused)('refuses the key %j: not_found on reading, a TypeError on writing', async (key) => {
      const path = join(local, 'file');
      await writeFile(path, 'x');
      await expect(storage.put(key, bytesOf('x'))).rejects.toThrow(TypeError);
      await expect(storage.putIfAbsent(key, bytesOf('x'))).rejects.toThrow(TypeError);
      await expect(storage.putFile(key, path)).rejects.toThrow(TypeError);
      await expect(storage.delete(key)).rejects.toThrow(TypeError);
      await expect(storage.read(key)).rejects.toMatchObject({ code: 'not_found' });
      await expect(storage.stat(key)).rejects.toMatchObject({ code: 'not_found' });
      if (key !== '' && key !== 'a/') {
        await expect(keysOf(storage, key)).rejects.toMatchObject({ code: 'not_found' });
      }
    });

    it('survives puts, reads and deletions of the same keys at once', async () => {
      const work = Array.from({ length: 60 }, async (_, index) => {
        const key = `busy/${index % 3}/object`;
        await storage.put(key, bytesOf('whole'));
        if (index % 2) await storage.delete(key);
        const seen = await storage.read(key).then(text, (error) => error.code);
        expect(['whole', 'not_found']).toContain(seen);
      });
      await Promise.all(work);
    });
  });
};
