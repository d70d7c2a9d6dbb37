import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { freemem, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freeMemoryBytes } from '../../../src/platform/machine/free-memory.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'rendermill-memory-'));
});
afterEach(() => rm(root, { recursive: true }));

/** Files of a kernel that says this. */
const free = async (files: Readonly<Record<string, string>>): Promise<number> => {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return freeMemoryBytes({ proc: join(root, 'proc'), cgroup: join(root, 'cgroup') });
};

const meminfo =
  'MemTotal:       24683668 kB\nMemFree:         1000000 kB\nMemAvailable:    2000000 kB\nBuffers: 1 kB\n';
const machine = { 'proc/meminfo': meminfo };
const available = 2_000_000 * 1024;

describe('the free memory', () => {
  test('is what the machine has available, caches that can go included', async () => {
    expect(await free({ ...machine, 'proc/self/cgroup': '0::/\n' })).toBe(available);
  });

  test('of this machine lies between nothing and all of it', async () => {
    const bytes = await freeMemoryBytes();
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(totalmem());
  });

  test('is what the system says where the kernel is another', async () => {
    const before = freemem();
    const bytes = await free({});
    expect(bytes).toBeGreaterThan(before / 2);
    expect(bytes).toBeLessThanOrEqual(totalmem());
  });

  test('in a container is what its limit leaves, files that are merely cached not counted as used', async () => {
    expect(
      await free({
        ...machine,
        'proc/self/cgroup': '0::/\n',
        'cgroup/memory.max': '1000000000\n',
        'cgroup/memory.current': '950000000\n',
        'cgroup/memory.stat': 'anon 300000000\ninactive_file 400000000\nactive_file 1\n',
      }),
    ).toBe(450_000_000);
  });

  test('is never more than the machine has, whatever the limit of the container', async () => {
    expect(
      await free({
        ...machine,
        'proc/self/cgroup': '0::/\n',
        'cgroup/memory.max': String(available * 10),
        'cgroup/memory.current': '1',
      }),
    ).toBe(available);
  });

  test('is what the nearest limit around the group leaves; `max` is none', async () => {
    expect(
      await free({
        ...machine,
        'proc/self/cgroup': '0::/box/inner\n',
        'cgroup/box/inner/memory.max': 'max\n',
        'cgroup/box/inner/memory.current': '7\n',
        'cgroup/box/memory.max': '500\n',
        'cgroup/box/memory.current': '200\n',
      }),
    ).toBe(300);
  });

  test('is read from groups of the older kind, too, whose missing limit is a huge number', async () => {
    const cgroup = '9:name=systemd:/\n4:cpu,memory:/docker/abc\n0::/\n';
    const files = {
      ...machine,
      'proc/self/cgroup': cgroup,
      'cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
      'cgroup/memory/memory.usage_in_bytes': '5\n',
    };
    expect(await free(files)).toBe(available);
    expect(
      await free({
        ...files,
        'cgroup/memory/docker/abc/memory.limit_in_bytes': '1000\n',
        'cgroup/memory/docker/abc/memory.usage_in_bytes': '900\n',
        'cgroup/memory/docker/abc/memory.stat': 'inactive_file 900\ntotal_inactive_file 100\n',
      }),
    ).toBe(200);
  });

  test('beyond its limit is nothing', async () => {
    expect(
      await free({
        ...machine,
        'proc/self/cgroup': '0::/\n',
        'cgroup/memory.max': '100',
        'cgroup/memory.current': '120',
      }),
    ).toBe(0);
  });
});
