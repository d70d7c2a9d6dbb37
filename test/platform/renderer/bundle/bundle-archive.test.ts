import { createHash } from 'node:crypto';
import { readdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { Header } from 'tar';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packBundle, unpackBundle } from '../../../../src/platform/renderer/bundle/bundle-archive.ts';
import { temporaryFolder, writeFiles } from './temporary-project.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let bundle: string;
let target: string;
const files = { 'index.html': '<html>', 'bundle.js': 'x'.repeat(100_000), 'public/ä/a b.txt': 'hello' };

beforeEach(async () => {
  folder = await temporaryFolder();
  bundle = await writeFiles(join(folder.path, 'bundle'), files);
  target = join(folder.path, 'cache/organization/version');
});
afterEach(() => folder.remove());

const leftovers = async (): Promise<string[]> =>
  (await readdir(join(folder.path, 'cache/organization')).catch(() => [])).filter(
    (name) => name !== 'version',
  );

/** An archive as only an attacker would write it: one entry, then the end. */
const archiveOf = (entry: {
  path: string;
  type: 'File' | 'SymbolicLink' | 'Link';
  linkpath?: string;
}): Readable => {
  const header = new Header({ ...entry, mode: 0o644, size: 0, mtime: new Date(0) });
  const block = Buffer.alloc(512);
  header.encode(block, 0);
  return Readable.from([Buffer.concat([block, Buffer.alloc(1024)])]);
};

describe('a bundle as an archive', () => {
  it('comes out as it went in', async () => {
    await unpackBundle(packBundle(bundle), target);
    for (const [name, content] of Object.entries(files)) {
      expect(await readFile(join(target, name), 'utf8')).toBe(content);
    }
    expect(await leftovers()).toEqual([]);
  });

  it('has the same bytes each time', async () => {
    const hash = async () =>
      createHash('sha256')
        .update(await buffer(packBundle(bundle)))
        .digest('hex');
    expect(await hash()).toBe(await hash());
  });

  it('may be unpacked by several at once', async () => {
    await Promise.all([1, 2, 3, 4].map(() => unpackBundle(packBundle(bundle), target)));
    expect(await readFile(join(target, 'index.html'), 'utf8')).toBe('<html>');
    expect(await leftovers()).toEqual([]);
  });

  it('leaves nothing when the stream breaks off', async () => {
    const bytes = await buffer(packBundle(bundle));
    const broken = Readable.from(
      (async function* () {
        yield bytes.subarray(0, 40_000);
        throw new Error('connection lost');
      })(),
    );
    await expect(unpackBundle(broken, target)).rejects.toThrow('connection lost');
    expect(await readdir(join(folder.path, 'cache/organization'))).toEqual([]);
  });

  it('leaves nothing when the archive is cut short', async () => {
    const bytes = await buffer(packBundle(bundle));
    await expect(unpackBundle(Readable.from([bytes.subarray(0, 40_000)]), target)).rejects.toThrow();
    expect(await readdir(join(folder.path, 'cache/organization'))).toEqual([]);
  });

  it.each([
    [{ path: 'link', type: 'SymbolicLink' as const, linkpath: '/etc/passwd' }],
    [{ path: 'hard', type: 'Link' as const, linkpath: 'bundle.js' }],
    [{ path: '../escaped.txt', type: 'File' as const }],
    [{ path: 'a/../../escaped.txt', type: 'File' as const }],
    [{ path: '/tmp/escaped.txt', type: 'File' as const }],
  ])('refuses an archive with %j', async (entry) => {
    await expect(unpackBundle(archiveOf(entry), target)).rejects.toMatchObject({ code: 'bundle_failed' });
    expect(await readdir(join(folder.path, 'cache/organization'))).toEqual([]);
  });

  it('refuses a packed symbolic link', async () => {
    await symlink('/etc/passwd', join(bundle, 'public/link'));
    await expect(unpackBundle(packBundle(bundle), target)).rejects.toThrow('is a SymbolicLink');
  });

  it('replaces a folder that is no whole bundle', async () => {
    await writeFiles(target, { 'bundle.js': 'half' });
    await unpackBundle(packBundle(bundle), target);
    expect(await readFile(join(target, 'bundle.js'), 'utf8')).toBe(files['bundle.js']);
    expect(await leftovers()).toEqual([]);
  });
});
