import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBrowser } from '../../src/platform/renderer/browser/find-browser.ts';
import { buildBundle } from '../../src/platform/renderer/bundle/build-bundle.ts';
import { hashProject } from '../../src/platform/renderer/bundle/hash-project.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-bundle-'));
});
afterEach(() => rm(folder, { recursive: true }));

const build = async (projectPath: string) =>
  buildBundle({
    projectPath,
    outputDirectory: join(folder, 'out'),
    browserExecutable: (await findBrowser({})).path,
  });

const importing = async (specifier: string): Promise<string> => {
  const project = join(folder, 'project');
  await mkdir(join(project, 'src'), { recursive: true });
  await writeFile(join(project, 'package.json'), '{"dependencies":{"nice-colors":"1.0.0"}}');
  const source = `import { registerRoot } from 'remotion';\nimport colors from '${specifier}';\nregisterRoot(() => colors);\n`;
  await writeFile(join(project, 'src/index.ts'), source);
  return project;
};

describe('what a project lacks is said so that its developer can mend it', () => {
  it('a folder', async () => {
    const missing = join(folder, 'nonexistent');
    const refusal = { code: 'bundle_failed', message: `There is no folder ${missing}.` };
    await expect(hashProject(missing)).rejects.toMatchObject(refusal);
    await expect(build(missing)).rejects.toMatchObject(refusal);
  });

  it.each(['nice-colors', '@nice/colors/blue'])('an installed package: %s', async (specifier) => {
    await expect(build(await importing(specifier))).rejects.toMatchObject({
      code: 'bundle_failed',
      message: expect.stringMatching(
        new RegExp(`${specifier}[\\s\\S]*\\nRun npm install in the project\\.$`),
      ),
    });
  });

  it('a file of its own, which no installation brings', async () => {
    await expect(build(await importing('./colors'))).rejects.toMatchObject({
      code: 'bundle_failed',
      message: expect.not.stringContaining('npm install'),
    });
  });
});
