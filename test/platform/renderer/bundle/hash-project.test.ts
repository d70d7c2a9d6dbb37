import { cp, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hashProject } from '../../../../src/platform/renderer/bundle/hash-project.ts';
import { fixture, temporaryFolder, writeFiles } from './temporary-project.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let project: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  project = join(folder.path, 'somewhere/else');
  await cp(fixture('tenant-plain'), project, { recursive: true });
});

afterEach(() => folder.remove());

describe('hashProject', () => {
  it('is the same in every folder', async () => {
    expect(await hashProject(project)).toBe(await hashProject(fixture('tenant-plain')));
  });

  it.each(['src/Title.tsx', 'public/square.svg', 'package.json', 'package-lock.json', 'src/build/new.ts'])(
    'changes with %s',
    async (name) => {
      const before = await hashProject(project);
      await writeFiles(project, { [name]: '{}' });
      expect(await hashProject(project)).not.toBe(before);
    },
  );

  it.each([
    'node_modules/a/index.js',
    'src/node_modules/a.js',
    '.git/HEAD',
    'dist/bundle.js',
    'build/x',
    'out/video.mp4',
  ])('does not change with %s', async (name) => {
    const before = await hashProject(project);
    await writeFiles(project, { [name]: 'x' });
    expect(await hashProject(project)).toBe(before);
  });

  it('changes when a file is renamed', async () => {
    await writeFiles(project, { 'public/a.txt': 'x' });
    const before = await hashProject(project);
    await cp(join(project, 'public/a.txt'), join(project, 'public/b.txt'));
    expect(await hashProject(project)).not.toBe(before);
  });

  it('ends although a linked folder leads in a circle', async () => {
    await symlink(project, join(project, 'src/circle'));
    expect(await hashProject(project)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('changes with what the project imports from elsewhere', async () => {
    const shared = await writeFiles(join(folder.path, 'shared'), { 'a.ts': '1' });
    const before = await hashProject(project, { alsoFrom: [shared] });
    await writeFiles(shared, { 'a.ts': '2' });
    expect(await hashProject(project, { alsoFrom: [shared] })).not.toBe(before);
  });
});
