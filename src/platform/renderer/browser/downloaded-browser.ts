import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const names = new Set(['chrome-headless-shell', 'headless_shell', 'chrome-headless-shell.exe']);

/** Remotion keeps its browser in the node_modules folder that it lies in itself. */
export const defaultDownloadDirectory = (): string => {
  const remotion = dirname(createRequire(import.meta.url).resolve('remotion/package.json'));
  return join(dirname(remotion), '.remotion', 'chrome-headless-shell');
};

/** The browser that Remotion downloaded, or null. The folders in between are named for the platform. */
export const findDownloadedBrowser = async (directory: string): Promise<string | null> => {
  const files = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const found = files.find((file) => file.isFile() && names.has(file.name));
  return found === undefined ? null : join(found.parentPath, found.name);
};
