import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockFolder } from '../../../src/apps/up/folder-lock.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { runCommand } from './run-command.ts';

let home: string;
let other: Server;
let port: number;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'rendermill-refused-'));
  other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  port = (other.address() as AddressInfo).port;
});
afterEach(async () => {
  other.close();
  await rm(home, { recursive: true });
});

const taken = () => ({
  exitCode: 1,
  out: [],
  err: [`rendermill: Port ${port} is taken. Choose another with PORT=…, or 0 for any free one.`],
});

describe('a start that is refused prints one sentence', () => {
  it('up, where its port is taken, before it makes a database', async () => {
    expect(await runCommand(['up'], { RENDERMILL_HOME: home, PORT: String(port) })).toEqual(taken());
    expect(await readdir(home)).toEqual([]);
  });

  it('api, where its port is taken', async () => {
    const database = await createTestDatabase();
    try {
      const environment = {
        DATABASE_URL: database.url,
        RENDERMILL_HOME: home,
        PORT: String(port),
        LOG_LEVEL: 'error',
      };
      expect(await runCommand(['api'], environment)).toEqual(taken());
    } finally {
      await database.drop();
    }
  });

  it('up, where another one has the folder', async () => {
    const release = await lockFolder(home);
    const { exitCode, out, err } = await runCommand(['up'], { RENDERMILL_HOME: home, PORT: '0' });
    await release();
    expect({ exitCode, out }).toEqual({ exitCode: 1, out: [] });
    expect(err).toEqual([expect.stringMatching(/^rendermill: Rendermill is already up in /)]);
  });

  it.each([
    ['api'],
    ['worker'],
    ['bundle', '.'],
    ['organizations', 'list'],
    ['keys', 'list', '--organization', 'a'],
    ['events', 'tail'],
  ])('%s in a folder in which nothing is, and makes nothing there', async (...args) => {
    expect(await runCommand(args, { RENDERMILL_HOME: home, LOG_LEVEL: 'error' })).toEqual({
      exitCode: 1,
      out: [],
      err: [
        `rendermill: Nothing is in ${home}: run rendermill up there, or set RENDERMILL_HOME or DATABASE_URL.`,
      ],
    });
    expect(await readdir(home)).toEqual([]);
  });
});
