import { execFileSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { readdir, readFile, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { findPostgresBinaries } from '../../../../src/platform/db/embedded/binaries.ts';
import { cleanUp, newFolder, query, start, startInChild } from './folder-under-test.ts';

const repository = join(import.meta.dirname, '../../../..');
const canDropRights = (): boolean => {
  if (process.platform !== 'linux' || process.geteuid?.() !== 0) return false;
  try {
    execFileSync('setpriv', ['--bounding-set=-all,+chown', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
const asRoot = canDropRights();
if (!asRoot) console.warn('SKIPPED: the tests of the embedded Postgres under root need root and setpriv.');

const nobody = 65534;
/** What container engines leave to root. */
const containerRights =
  '+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap';
const withRights = (rights: string) => ['setpriv', `--bounding-set=-all,${rights}`, '--inh-caps=-all'];

const statusOf = async (pid: number, field: string) =>
  new RegExp(`^${field}:\\s+(\\S+)`, 'm').exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];

const copyPackage = async (folder: string): Promise<string> => {
  const { postgres } = await findPostgresBinaries();
  const copy = join(folder, 'package');
  cpSync(join(dirname(postgres), '../..'), copy, { recursive: true, verbatimSymlinks: true });
  return copy;
};

afterEach(cleanUp);

describe.runIf(asRoot)('as root', { timeout: 30_000 }, () => {
  it('runs the server as an ordinary user without any capability where the folder is open', async () => {
    const folder = await newFolder();
    const { pid } = await start(folder);
    expect(await statusOf(pid, 'Uid')).not.toBe('0');
    expect(await statusOf(pid, 'CapEff')).toBe('0000000000000000');
  });

  it('keeps the data below a folder that is closed to others, and finds its program there', async () => {
    const closed = await newFolder(0o700);
    const copy = await copyPackage(closed);
    const library = join(copy, 'native', 'lib');
    for (const entry of await readdir(library, { withFileTypes: true })) {
      if (entry.isSymbolicLink()) await unlink(join(library, entry.name));
    }
    const { started } = await startInChild([join(closed, 'db'), copy]);
    expect(await query(started.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    expect(await statusOf(started.pid, 'Uid')).not.toBe('0');
    // cap_dac_read_search and nothing else
    expect(await statusOf(started.pid, 'CapEff')).toBe('0000000000000004');
    const again = await start(join(closed, 'db'));
    expect(again).toMatchObject({ adopted: true, pid: started.pid });
  });

  it('works with the rights that a container leaves to root, and adopts without the right to trace', async () => {
    const closed = await newFolder(0o700);
    const through = withRights(containerRights);
    const first = await startInChild([join(closed, 'db')], { through });
    const second = await startInChild([join(closed, 'db')], { through });
    expect(second.started).toMatchObject({ adopted: true, pid: first.started.pid });
    second.child.stdin?.end();
    await expect.poll(() => statusOf(first.started.pid, 'State').catch(() => 'gone')).toMatch(/gone|Z/);
  });

  it('names the folder that is in the way and the ways out where nothing helps', async () => {
    const closed = await newFolder(0o700);
    const through = withRights('+chown,+setuid,+setgid,+kill');
    const { started } = await startInChild([join(closed, 'db')], { through });
    expect(started.code).toBe('invalid_configuration');
    expect(started.message).toContain(`The folder ${closed} is closed`);
    expect(started.message).toContain('DATABASE_URL');
  });

  it('goes on as the user whose data are there already', async () => {
    execFileSync('/bin/sh', ['-c', `test -r ${repository}/package.json`], { uid: nobody, gid: nobody });
    const folder = await newFolder(0o777);
    const user = await startInChild([folder], { uid: nobody, gid: nobody });
    expect(await statusOf(user.started.pid, 'Uid')).toBe(String(nobody));
    const root = await start(folder);
    expect(root).toMatchObject({ adopted: true, pid: user.started.pid });
    await root.stop();
    expect(await statusOf((await start(folder)).pid, 'Uid')).toBe(String(nobody));
  });

  it('takes over data that root has copied, and tells another user that the folder is not theirs', async () => {
    const folder = await newFolder();
    await (await start(folder)).stop();
    execFileSync('chown', ['-R', 'root:root', folder]);
    const server = await start(folder);
    expect(await query(server.url, 'select 1 as one')).toEqual([{ one: 1 }]);
    const { started } = await startInChild([folder], { uid: nobody, gid: nobody });
    expect(started).toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(folder),
    });
  });
});
