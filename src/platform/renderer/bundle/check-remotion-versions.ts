import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleFailed } from './bundle-failed.ts';
import { installedVersion, ownRemotionVersion } from './installed-version.ts';

const isRemotion = (name: string): boolean => name === 'remotion' || name.startsWith('@remotion/');

const declaredRemotionPackages = async (projectPath: string): Promise<readonly string[]> => {
  const text = await readFile(join(projectPath, 'package.json'), 'utf8').catch(() => '{}');
  const { dependencies = {}, devDependencies = {} } = JSON.parse(text) as Record<
    string,
    Record<string, string> | undefined
  >;
  return [...new Set(['remotion', ...Object.keys(dependencies), ...Object.keys(devDependencies)])].filter(
    isRemotion,
  );
};

/**
 * `react` and `remotion` always come from this service, the other packages from the project. Remotion's packages work together
 * only in one version: with two, contexts are not found and pictures go missing without an error.
 */
export const checkRemotionVersions = async (projectPath: string): Promise<void> => {
  const own = await ownRemotionVersion();
  const names = await declaredRemotionPackages(projectPath);
  const installed = await Promise.all(
    names.map(async (name) => ({ name, version: await installedVersion(name, projectPath) })),
  );
  const others = installed.filter(({ version }) => version !== null && version !== own);
  if (others.length === 0) return;
  throw bundleFailed(
    `The project has ${others.map(({ name, version }) => `${name} ${version}`).join(', ')}, but this service renders with Remotion ${own}. Set all of the project's Remotion packages to ${own} (npx remotion upgrade --version ${own}) and bundle again.`,
    {
      details: {
        expected: own,
        found: Object.fromEntries(others.map(({ name, version }) => [name, version])),
      },
    },
  );
};
