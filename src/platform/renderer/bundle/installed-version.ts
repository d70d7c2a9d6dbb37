import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const readVersion = async (path: string): Promise<string | null> => {
  try {
    const { version } = JSON.parse(await readFile(path, 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version : null;
  } catch {
    return null;
  }
};

/** The version of a package as code in this folder would get it: the nearest node_modules upwards. Null: not installed. */
export const installedVersion = async (name: string, from: string): Promise<string | null> => {
  const version = await readVersion(join(from, 'node_modules', name, 'package.json'));
  const parent = dirname(from);
  return version ?? (parent === from ? null : installedVersion(name, parent));
};

/** Of Remotion as this service bundles and renders with it. */
export const ownRemotionVersion = async (): Promise<string> => {
  const version = await installedVersion('remotion', import.meta.dirname);
  if (version === null) throw new Error('The package "remotion" is not installed beside this service.');
  return version;
};
