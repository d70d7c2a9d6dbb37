import { readFile } from 'node:fs/promises';
import { isAbsolute, join, relative } from 'node:path';
import { bundleFailed } from './bundle-failed.ts';

/** Where Remotion's own templates and its command line look. */
const usualPlaces = [
  'src/index',
  'remotion/index',
  'app/remotion/index',
  'src/remotion/index',
  'index',
].flatMap((place) => ['ts', 'tsx', 'js', 'jsx', 'mjs'].map((extension) => `${place}.${extension}`));

const read = (path: string): Promise<string | null> => readFile(path, 'utf8').catch(() => null);

/** `Config.setEntryPoint("./src/index.ts")` in remotion.config.ts. Read, not run: it is the project's code. */
const configuredEntryPoint = async (projectPath: string): Promise<string | null> => {
  for (const name of ['remotion.config.ts', 'remotion.config.js']) {
    const config = await read(join(projectPath, name));
    const found = config?.match(/^\s*(?:\w+\.)?setEntryPoint\(\s*(['"`])([^'"`]+)\1/m)?.[2];
    if (found !== undefined) return found;
  }
  return null;
};

const checkRegistersRoot = (entryPoint: string, source: string, projectPath: string): void => {
  if (source.includes('registerRoot')) return;
  throw bundleFailed(
    `${relative(projectPath, entryPoint)} does not call registerRoot(). The entry point must call registerRoot(YourRoot); see https://www.remotion.dev/docs/register-root.`,
  );
};

/** The file that calls registerRoot(), absolute: the given one, the one in remotion.config, else the first usual place. */
export const findEntryPoint = async (projectPath: string, explicit?: string): Promise<string> => {
  const named = explicit ?? (await configuredEntryPoint(projectPath));
  const candidates = named === null ? usualPlaces : [named];
  for (const candidate of candidates) {
    const path = isAbsolute(candidate) ? candidate : join(projectPath, candidate);
    const source = await read(path);
    if (source === null) continue;
    checkRegistersRoot(path, source, projectPath);
    return path;
  }
  throw bundleFailed(
    named === null
      ? `No entry point was found. Expected a file that calls registerRoot(), such as src/index.ts; looked for ${usualPlaces.join(', ')}.`
      : `The entry point "${named}" does not exist in the project.`,
  );
};
