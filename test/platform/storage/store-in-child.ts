/** Fills the storage of a small disk: prints the codes of what was refused, and what is left afterwards. */
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { freeBytes } from '../../../src/platform/storage/disk-space.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';

const [directory = '', local = ''] = process.argv.slice(2);

const tooLarge = () =>
  Readable.from(
    (function* () {
      for (let block = 0; block < 64; block += 1) yield Buffer.alloc(65_536, block);
    })(),
  );

const main = async () => {
  const storage = createFolderStorage({ directory });
  await storage.put('small', Readable.from([Buffer.from('kept')]));
  const code = (error: { code?: string }) => error.code;
  await writeFile(local, Buffer.alloc(2_000_000)).catch(code);
  const refused = [
    await storage.put('a/large', tooLarge()).catch(code),
    await storage.putIfAbsent('a/new', tooLarge()).catch(code),
    await storage.putFile('a/file', local).catch(code),
  ];
  const stillThere = await stat(local).then(
    () => true,
    () => false,
  );
  const left = (await readdir(directory, { recursive: true })).sort();
  const incoming = await readdir(join(directory, '.incoming'));
  await storage.put('small', Readable.from([Buffer.from('written again')]));
  console.log(JSON.stringify({ refused, stillThere, left, incoming, freeBytes: await freeBytes(directory) }));
};

main();
