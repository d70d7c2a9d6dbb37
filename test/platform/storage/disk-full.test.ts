import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const script = join(import.meta.dirname, 'store-in-child.ts');

/** A mount that ends with the process: as root, else as the root of a user namespace, where the system permits those. */
const waysToMount = [
  ['unshare', '--mount'],
  ['unshare', '--mount', '--map-root-user'],
];
const mountsIn = (way: readonly string[]): boolean => {
  try {
    execFileSync(way[0] ?? '', [...way.slice(1), 'mount', '-t', 'tmpfs', 'none', tmpdir()], {
      stdio: 'ignore',
    });
    return true;
  } catch {
    return false;
  }
};
const wayToMount = waysToMount.find(mountsIn);
if (!wayToMount)
  console.warn('SKIPPED: a full disk needs the right to mount one of 1 MB (root, or user namespaces).');

const command = `exec ${JSON.stringify(process.execPath)} --import tsx ${JSON.stringify(script)} "$@"`;

describe('on a disk that is full', { timeout: 20_000 }, () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'full-disk-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const outcome = async (file: string, args: readonly string[]) => JSON.parse((await run(file, args)).stdout);

  it.runIf(wayToMount)(
    'storing is refused with disk_full, leaves nothing behind, and works again with less',
    async () => {
      const [file = '', ...through] = wayToMount ?? [];
      const disk = join(folder, 'disk');
      const script = `mkdir "$1" && mount -t tmpfs -o size=1m none "$1" && ${command}`;
      const result = await outcome(file, [...through, 'sh', '-c', script, 'sh', disk, join(folder, 'local')]);
      expect(result).toMatchObject({
        refused: ['disk_full', 'disk_full', 'disk_full'],
        stillThere: true,
        left: ['.incoming', 'small'],
        incoming: [],
      });
      expect(result.freeBytes).toBeLessThan(1_048_576);
      expect(result.freeBytes).toBeGreaterThan(900_000);
    },
  );

  it.runIf(process.platform !== 'win32')(
    'a file larger than the process may write is refused in the same way',
    async () => {
      const script = `ulimit -f 1000 && ${command}`;
      const disk = join(folder, 'disk');
      const result = await outcome('bash', ['-c', script, 'bash', disk, join(folder, 'local')]);
      expect(result.refused.slice(0, 2)).toEqual(['disk_full', 'disk_full']);
      expect(result.incoming).toEqual([]);
    },
  );
});
