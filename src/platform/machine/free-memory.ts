/** How much memory is left to this process: of the machine, and of the control group (the container) that it runs in. */
import { readFile } from 'node:fs/promises';
import { freemem } from 'node:os';
import { join } from 'node:path';

/** Where Linux tells of itself. */
export interface KernelFolders {
  readonly proc: string;
  readonly cgroup: string;
}

const kernel: KernelFolders = { proc: '/proc', cgroup: '/sys/fs/cgroup' };

/** Bytes that can be had without pushing anything out; of all limits that hold here the nearest. */
export const freeMemoryBytes = async (folders: KernelFolders = kernel): Promise<number> => {
  const machine = (await availableBytes(folders.proc)) ?? freemem();
  return Math.min(machine, ...(await leftInGroups(folders)));
};

const read = async (...path: readonly string[]): Promise<string | undefined> =>
  readFile(join(...path), 'utf8').catch(() => undefined);

/** Undefined where there is none, such as `max`. */
const readNumber = async (...path: readonly string[]): Promise<number | undefined> => {
  const text = (await read(...path))?.trim();
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
};

const availableBytes = async (proc: string): Promise<number | undefined> => {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec((await read(proc, 'meminfo')) ?? '');
  return match === null ? undefined : Number(match[1]) * 1024;
};

interface Version {
  readonly limit: string;
  readonly used: string;
  readonly cache: RegExp;
}

const versions: Readonly<Record<'v1' | 'v2', Version>> = {
  v1: {
    limit: 'memory.limit_in_bytes',
    used: 'memory.usage_in_bytes',
    cache: /^total_inactive_file (\d+)$/m,
  },
  v2: { limit: 'memory.max', used: 'memory.current', cache: /^inactive_file (\d+)$/m },
};

/** Of each group that this process is in, and of those around them. */
const leftInGroups = async ({ proc, cgroup }: KernelFolders): Promise<readonly number[]> => {
  const lines = ((await read(proc, 'self', 'cgroup')) ?? '').split('\n');
  const found = await Promise.all(
    lines.flatMap((line) => {
      const [, controllers = '', group = ''] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
      if (group === '') return [];
      if (controllers === '') return ancestors(group).map((one) => leftIn(join(cgroup, one), versions.v2));
      if (!controllers.split(',').includes('memory')) return [];
      return ancestors(group).map((one) => leftIn(join(cgroup, 'memory', one), versions.v1));
    }),
  );
  return found.filter((bytes) => bytes !== undefined);
};

/** `/a/b`, `/a` and `/`. Within a container its own group is often mounted as the root of all. */
const ancestors = (group: string): readonly string[] => {
  const parts = group.split('/').filter(Boolean);
  return Array.from({ length: parts.length + 1 }, (_, length) => `/${parts.slice(0, length).join('/')}`);
};

/** Files that the kernel only keeps in memory because there was room count as used, and go at once when somebody needs it. */
const leftIn = async (folder: string, { limit, used, cache }: Version): Promise<number | undefined> => {
  const [most, now] = await Promise.all([readNumber(folder, limit), readNumber(folder, used)]);
  if (most === undefined || now === undefined) return undefined;
  const kept = Number(cache.exec((await read(folder, 'memory.stat')) ?? '')?.[1] ?? 0);
  return Math.max(0, most - Math.max(0, now - kept));
};
