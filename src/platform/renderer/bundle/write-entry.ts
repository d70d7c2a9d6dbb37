import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A constant name, since it ends up in the bundle. */
const fileName = 'rendermill-entry.ts';

/** Bundlers take a path on any system when it is written with slashes. */
const importPath = (path: string): string => JSON.stringify(path.replaceAll('\\', '/'));

/**
 * The bundle's entry point: our part first, then the project's own, unchanged. Written into the build's own folder; two builds
 * that share one file get each other's code.
 */
export const writeEntry = async (folder: string, projectEntryPoint: string): Promise<string> => {
  const install = join(import.meta.dirname, 'entry', 'install.ts');
  const path = join(folder, fileName);
  const source = [
    '// The project calls registerRoot() itself.',
    `import { install } from ${importPath(install)};`,
    `import ${importPath(projectEntryPoint)};`,
    'install();',
    '',
  ].join('\n');
  await writeFile(path, source);
  return path;
};
