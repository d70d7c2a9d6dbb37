import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freeBytes } from '../../../src/platform/storage/disk-space.ts';
import { createFolderStorage, type FolderStorage } from '../../../src/platform/storage/folder.ts';
import { describeStorage, keysOf } from './storage-contract.ts';

const newFolder = () => mkdtemp(join(tmpdir(), 'folder-storage-'));
const body = (content: string) => Readable.from([Buffer.from(content)]);

describeStorage('a folder', async () => {
  const directory = await newFolder();
  return {
    storage: createFolderStorage({ directory: join(directory, 'made', 'when-needed') }),
    remove: () => rm(directory, { recursive: true }),
  };
});

describe('storage in a folder', () => {
  let outside: string;
  let directory: string;
  let storage: FolderStorage;

  beforeEach(async () => {
    outside = await newFolder();
    directory = join(outside, 'objects');
    await mkdir(directory);
    storage = createFolderStorage({ directory });
  });
  afterEach(() => rm(outside, { recursive: true }));

  it('shows an object only when it is whole, and has written nowhere but in .incoming until then', async () => {
    const source = new PassThrough();
    const written = storage.put('a/b', source);
    source.write('half');
    await expect.poll(() => readdir(join(directory, '.incoming')).catch(() => [])).toHaveLength(1);
    expect(await storage.stat('a/b')).toBeNull();
    expect(await readdir(directory)).toEqual(['.incoming']);
    source.end(' and half');
    await written;
    expect(await text(await storage.read('a/b'))).toBe('half and half');
    expect(await readdir(join(directory, '.incoming'))).toEqual([]);
  });

  it('that is gone as a whole says so, and not that the file is missing', async () => {
    await storage.put('a/b', Readable.from(['whole']));
    expect(await storage.stat('a/c')).toBeNull();
    await rename(directory, join(outside, 'unmounted'));
    const away = { code: 'storage_unavailable', status: 503 };
    await expect(storage.stat('a/b')).rejects.toMatchObject(away);
    await expect(storage.read('a/b')).rejects.toMatchObject(away);
    await rename(join(outside, 'unmounted'), directory);
    expect(await text(await storage.read('a/b'))).toBe('whole');
  });

  it('removes the temporary file of a body that fails, even one that fails before it is asked', async () => {
    await expect(storage.put('a', createReadStream(join(outside, 'missing')))).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(await readdir(join(directory, '.incoming'))).toEqual([]);
  });

  it('closes a body that it does not need', async () => {
    await storage.put('a', body('there'));
    const source = new PassThrough();
    expect(await storage.putIfAbsent('a', source)).toBe(false);
    expect(source.destroyed).toBe(true);
  });

  it('moves a file of the same disk without copying it', async () => {
    const path = join(outside, 'video');
    await writeFile(path, 'frames');
    const before = await readdir(outside);
    await storage.putFile('a/video', path);
    expect(before).toContain('video');
    expect(await readdir(outside)).toEqual(['objects']);
    expect(await readdir(directory)).toEqual(['a']);
  });

  it('copies what a symlink leads to, rather than move the symlink in', async () => {
    await writeFile(join(outside, 'original'), 'frames');
    await symlink(join(outside, 'original'), join(outside, 'link'));
    await storage.putFile('a', join(outside, 'link'));
    expect(await text(await storage.read('a'))).toBe('frames');
    expect(await readdir(outside)).toEqual(['objects', 'original']);
  });

  it('follows no symlink: neither in reading and listing, nor in writing and deleting', async () => {
    await mkdir(join(outside, 'secret'));
    await writeFile(join(outside, 'secret', 'file'), 'secret');
    await symlink(join(outside, 'secret'), join(directory, 'way-out'));
    await symlink(join(outside, 'secret', 'file'), join(directory, 'link'));
    for (const key of ['way-out/file', 'link']) {
      await expect(storage.read(key)).rejects.toMatchObject({ code: 'not_found' });
      expect(await storage.stat(key)).toBeNull();
      await storage.delete(key);
    }
    await expect(storage.put('way-out/file', body('x'))).rejects.toMatchObject({
      code: 'invalid_configuration',
    });
    await expect(storage.putIfAbsent('way-out/new', body('x'))).rejects.toMatchObject({
      code: 'invalid_configuration',
    });
    await storage.put('link', body('replaced'));
    expect(await keysOf(storage, '')).toEqual(['link']);
    expect(await keysOf(storage, 'way-out')).toEqual([]);
    expect(await readdir(join(outside, 'secret'))).toEqual(['file']);
    expect(await readFile(join(outside, 'secret', 'file'), 'utf8')).toBe('secret');
  });

  it('may itself be reached through a symlink', async () => {
    await symlink(directory, join(outside, 'shortcut'));
    const other = createFolderStorage({ directory: join(outside, 'shortcut') });
    await other.put('a/b', body('x'));
    expect(await keysOf(other, '')).toEqual(['a/b']);
  });

  it('says so when one key continues another', async () => {
    await storage.put('a', body('x'));
    await expect(storage.put('a/b', body('x'))).rejects.toThrow(TypeError);
    await storage.put('c/d', body('x'));
    await expect(storage.put('c', body('x'))).rejects.toThrow(TypeError);
    await expect(storage.read('c')).rejects.toMatchObject({ code: 'not_found' });
    await expect(storage.read('a/b')).rejects.toMatchObject({ code: 'not_found' });
    expect(await readdir(join(directory, '.incoming'))).toEqual([]);
  });

  it('removes the folders that a deletion leaves empty, and never its own', async () => {
    await storage.put('a/b/c/one', body('x'));
    await storage.put('a/two', body('x'));
    await storage.delete('a/b/c/one');
    expect(await readdir(join(directory, 'a'))).toEqual(['two']);
    await storage.delete('a/two');
    expect(await readdir(directory)).toEqual(['.incoming']);
  });

  it('sweeps what dead writers left, and not what is being written', async () => {
    const source = new PassThrough();
    const writing = storage.put('a', source);
    const incoming = join(directory, '.incoming');
    await expect.poll(() => readdir(incoming).catch(() => [])).toHaveLength(1);
    await writeFile(join(incoming, 'left'), 'half');
    const anHourAgo = new Date(Date.now() - 3_600_000);
    await utimes(join(incoming, 'left'), anHourAgo, anHourAgo);
    expect(await storage.sweepIncoming(1_800_000)).toBe(1);
    expect(await storage.sweepIncoming(1_800_000)).toBe(0);
    source.end('whole');
    await writing;
    expect(await text(await storage.read('a'))).toBe('whole');
  });

  it('tells the free space, also of a folder that is yet to be made', async () => {
    expect(await freeBytes(directory)).toBeGreaterThan(0);
    expect(await freeBytes(join(directory, 'not', 'yet'))).toBeGreaterThan(0);
  });
});
