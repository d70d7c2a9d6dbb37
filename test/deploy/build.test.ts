import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
let folder: string;
let dist: string;

/** By package.json's own script, with another folder in place of `dist`. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-build-'));
  dist = join(folder, 'dist');
  const { scripts } = JSON.parse(await readFile('package.json', 'utf8')) as { scripts: { build: string } };
  const script = scripts.build
    .replaceAll(/\bdist\b/g, dist)
    .replace('tsconfig.build.json', `tsconfig.build.json --outDir ${dist}`);
  await run('sh', ['-euc', script], {
    env: { ...process.env, PATH: `${resolve('node_modules/.bin')}:${process.env.PATH}` },
  });
  await cp('package.json', join(folder, 'package.json'));
  await symlink(resolve('node_modules'), join(folder, 'node_modules'));
}, 180_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('npm run build', () => {
  it('makes a program that runs', async () => {
    const { stdout } = await run(process.execPath, [join(dist, 'apps/cli/main.js'), '--help'], {
      cwd: folder,
    });
    expect(stdout).toContain('Usage: rendermill');
  });

  it('takes along the sources that are compiled into the bundles of tenants, with all that they import', async () => {
    const entry = join(dist, 'platform/renderer/bundle/entry');
    const files = (await readdir(entry, { recursive: true })).filter((name) => /\.tsx?$/.test(name));
    expect(files).toContain('install.ts');
    const missing: string[] = [];
    for (const file of files.map((name) => join(entry, name))) {
      const imports = (await readFile(file, 'utf8')).matchAll(/from '(\.[^']+)'/g);
      for (const [, path = ''] of imports)
        if (!existsSync(join(dirname(file), path))) missing.push(`${file}: ${path}`);
    }
    expect(missing).toEqual([]);
  });
});
