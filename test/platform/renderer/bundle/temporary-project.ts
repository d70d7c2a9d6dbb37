import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const fixture = (name: string): string => join(import.meta.dirname, '../../../fixtures', name);

export const temporaryFolder = async (): Promise<{ path: string; remove: () => Promise<void> }> => {
  const path = await mkdtemp(join(tmpdir(), 'rendermill-bundle-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
};

/** Writes files by their relative names. */
export const writeFiles = async (
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<string> => {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  return folder;
};
