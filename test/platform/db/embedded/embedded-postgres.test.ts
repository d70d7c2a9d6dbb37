import { spawn } from 'node:child_process';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findPostgresBinaries } from '../../../../src/platform/db/embedded/binaries.ts';
import { serverProcess } from '../../../../src/platform/db/embedded/process-state.ts';
import { stopServer } from '../../../../src/platform/db/embedded/stop-server.ts';
import {
  cleanUp,
  kill,
  newFolder,
  query,
  runningPid,
  silent,
  start,
  startInChild,
} from './folder-under-test.ts';

afterEach(cleanUp);

const portOf = (url: string) => new URL(url).port;

describe('a private Postgres in a folder', { timeout: 30_000 }, () => {
  it('starts on a fresh folder, and again at the same address with what was stored', async () => {
    const folder = await newFolder();
    const first = await start(folder);
    expect(first.adopted).toBe(false);
    await query(first.url, 'create table kept as select 7 as number');
    await Promise.all([first.stop(), first.stop()]);
    await first.stop();
    expect(await runningPid(folder)).toBeUndefined();

    const second = await start(folder);
    expect(second.adopted).toBe(false);
    expect(second.url).toBe(first.url);
    expect(await query(second.url, 'select number from kept')).toEqual([{ number: 7 }]);
    expect(await query(second.url, 'show jit')).toEqual([{ jit: 'off' }]);
    expect((await readdir(folder)).sort()).toEqual(['data', 'password', 'postgres.log']);
  });

  it('is adopted after the death of the process that started it', async () => {
    const folder = await newFolder();
    const { child, started } = await startInChild([folder]);
    await kill(child, 'SIGKILL');
    const server = await start(folder);
    expect(server).toMatchObject({ adopted: true, pid: started.pid, url: started.url });
    await server.stop();
    expect(await runningPid(folder)).toBeUndefined();
  });

  it('is one server for four processes that start it at once, on a fresh folder and on a stopped one', async () => {
    const folder = await newFolder();
    for (const _ of ['fresh', 'stopped']) {
      const four = await Promise.all([1, 2, 3, 4].map(() => startInChild([folder])));
      expect(new Set(four.map(({ started }) => started.pid)).size).toBe(1);
      expect(four.filter(({ started }) => !started.adopted)).toHaveLength(1);
      four[0]?.child.stdin?.end();
      await expect.poll(() => runningPid(folder), { timeout: 10_000 }).toBeUndefined();
    }
    expect((await readdir(folder)).sort()).toEqual(['data', 'password', 'postgres.log']);
  });

  it('takes another port where its own is taken', async () => {
    const folder = await newFolder();
    const first = await start(folder);
    await first.stop();
    const squatter = createServer().listen(Number(portOf(first.url)), '127.0.0.1');
    const second = await start(folder);
    expect(portOf(second.url)).not.toBe(portOf(first.url));
    expect(await query(second.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    squatter.close();
  });

  it('recovers after kill -9, also while its process is still a zombie', async () => {
    const folder = await newFolder();
    const { child, started } = await startInChild([folder]);
    await query(started.url, 'create table kept as select 7 as number');
    child.kill('SIGSTOP');
    process.kill(started.pid, 'SIGKILL');
    await expect.poll(() => serverProcess(started.pid, join(folder, 'data'))).toBe('zombie');

    const server = await start(folder);
    expect(server.adopted).toBe(false);
    expect(await query(server.url, 'select number from kept')).toEqual([{ number: 7 }]);
  });

  it('starts past the pid file of a server whose pid is now another program', async () => {
    const folder = await newFolder();
    const { url, stop } = await start(folder);
    const path = join(folder, 'data', 'postmaster.pid');
    const lines = (await readFile(path, 'utf8')).split('\n');
    await stop();
    await writeFile(path, [process.pid, ...lines.slice(1)].join('\n'));
    const server = await start(folder);
    expect(server).toMatchObject({ adopted: false, url });
    expect(server.pid).not.toBe(process.pid);
  });

  it('stops nothing where its server is gone, not even a program that has got its pid', async () => {
    const folder = await newFolder();
    const server = await start(folder);
    process.kill(server.pid, 'SIGKILL');
    await expect(server.stop()).resolves.toBeUndefined();

    const other = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const binaries = await findPostgresBinaries();
    const dataDirectory = join(folder, 'data');
    await stopServer({ pid: other.pid ?? 0, dataDirectory, binaries, log: silent });
    expect(other.killed || other.exitCode !== null || other.signalCode !== null).toBe(false);
    expect(await serverProcess(other.pid ?? 0, dataDirectory)).toBe('other');
    await kill(other, 'SIGKILL');
  });

  it('says which file is wrong when the password is not the one of the data', async () => {
    const folder = await newFolder();
    await start(folder);
    const path = join(folder, 'password');
    const right = await readFile(path);
    await writeFile(path, 'another');
    await expect(start(folder)).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(path),
    });
    await writeFile(path, right);
  });
});
