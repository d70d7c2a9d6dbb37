import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkRemotionVersions } from '../../../../src/platform/renderer/bundle/check-remotion-versions.ts';
import { findEntryPoint } from '../../../../src/platform/renderer/bundle/find-entry-point.ts';
import { ownRemotionVersion } from '../../../../src/platform/renderer/bundle/installed-version.ts';
import { temporaryFolder, writeFiles } from './temporary-project.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
const registers = 'registerRoot(Root);';

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

describe('findEntryPoint', () => {
  it.each(['src/index.ts', 'src/index.tsx', 'remotion/index.ts', 'index.tsx', 'src/index.js'])(
    'finds %s',
    async (name) => {
      await writeFiles(folder.path, { [name]: registers });
      expect(await findEntryPoint(folder.path)).toBe(join(folder.path, name));
    },
  );

  it('takes the one that the configuration names', async () => {
    await writeFiles(folder.path, {
      'remotion.config.ts': `import {Config} from '@remotion/cli/config';\n// Config.setEntryPoint('./no.ts');\nConfig.setEntryPoint("./video/main.ts");`,
      'video/main.ts': registers,
      'src/index.ts': registers,
    });
    expect(await findEntryPoint(folder.path)).toBe(join(folder.path, 'video/main.ts'));
  });

  it('takes the one that it is given', async () => {
    await writeFiles(folder.path, { 'a.ts': registers, 'src/index.ts': registers });
    expect(await findEntryPoint(folder.path, 'a.ts')).toBe(join(folder.path, 'a.ts'));
  });

  it('says where it looked', async () => {
    await expect(findEntryPoint(folder.path)).rejects.toMatchObject({
      code: 'bundle_failed',
      message: expect.stringContaining('src/index.ts'),
    });
  });

  it('names a file that does not exist', async () => {
    await expect(findEntryPoint(folder.path, 'gone.ts')).rejects.toThrow('"gone.ts" does not exist');
  });

  it('says which file does not call registerRoot', async () => {
    await writeFiles(folder.path, { 'src/index.tsx': 'export const Root = () => null;' });
    await expect(findEntryPoint(folder.path)).rejects.toThrow('src/index.tsx does not call registerRoot()');
  });
});

describe('checkRemotionVersions', () => {
  const installs = (name: string, version: string) => ({
    [`node_modules/${name}/package.json`]: JSON.stringify({ version }),
  });

  it('names both versions when they differ, and what to do', async () => {
    const own = await ownRemotionVersion();
    await writeFiles(folder.path, {
      'package.json': JSON.stringify({ dependencies: { '@remotion/fonts': '^4.0.0', react: '19' } }),
      ...installs('remotion', own),
      ...installs('@remotion/fonts', '4.0.400'),
    });
    await expect(checkRemotionVersions(folder.path)).rejects.toMatchObject({
      code: 'bundle_failed',
      message: expect.stringMatching(
        `@remotion/fonts 4\\.0\\.400.*Remotion ${own}.*npx remotion upgrade --version ${own}`,
      ),
      details: { expected: own, found: { '@remotion/fonts': '4.0.400' } },
    });
  });

  it('accepts the same version, and a project that has none installed', async () => {
    await checkRemotionVersions(folder.path);
    await writeFiles(folder.path, installs('remotion', await ownRemotionVersion()));
    await checkRemotionVersions(folder.path);
  });
});
