/** A ZIP with a manifest, tested and unpacked by the machine's own `unzip`, which knows nothing of how ours was made. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { manifestName } from '../../src/core/archive/archive-file.ts';
import type { Manifest, ManifestFile } from '../../src/core/archive/manifest.ts';

const run = promisify(execFile);

export interface UnpackedFile extends ManifestFile {
  readonly bytes: Buffer;
  /** Of those bytes; `sha256` is what the manifest says. */
  readonly foundSha256: string;
}

export interface UnpackedArchive {
  /** The last line of `unzip -t`. */
  readonly verdict: string;
  readonly manifest: Manifest;
  readonly files: readonly UnpackedFile[];
}

/** Rejects where `unzip` finds fault with it. */
export const unpackArchive = async (zip: string, folder: string): Promise<UnpackedArchive> => {
  const { stdout } = await run('unzip', ['-t', zip], { maxBuffer: 64 * 1024 * 1024 });
  await run('unzip', ['-q', '-o', zip, '-d', folder]);
  const manifest = JSON.parse(await readFile(join(folder, manifestName), 'utf8')) as Manifest;
  const files: UnpackedFile[] = [];
  for (const file of manifest.files) {
    const bytes = await readFile(join(folder, file.path));
    files.push({ ...file, bytes, foundSha256: createHash('sha256').update(bytes).digest('hex') });
  }
  return { verdict: stdout.trimEnd().split('\n').at(-1)?.replace(zip, 'it') ?? '', manifest, files };
};
