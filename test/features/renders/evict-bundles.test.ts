import { createReadStream } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBundleCache } from '../../../src/features/renders/bundle-cache.ts';
import { evictBundles } from '../../../src/features/renders/evict-bundles.ts';

const now = new Date('2026-03-10T12:00:00Z');
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000);

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rendermill-bundles-'));
});
afterEach(() => rm(directory, { recursive: true }));

const putBundle = async (organization: string, name: string, usedAt: Date): Promise<void> => {
  const folder = join(directory, organization, name);
  await mkdir(join(folder, 'public'), { recursive: true });
  await writeFile(join(folder, 'index.html'), '<html></html>');
  await writeFile(join(folder, 'public', 'picture.png'), 'a picture');
  await utimes(folder, usedAt, usedAt);
};

const cache = (clockAt: Date) =>
  createBundleCache({
    directory,
    // What is here already is never fetched.
    storage: { read: async () => createReadStream('/nowhere') } as never,
    clock: { now: () => clockAt },
  });

test('what nobody has used for long goes, with what a killed worker left half unpacked', async () => {
  await putBundle('acme', 'old', daysAgo(15));
  await putBundle('acme', 'young', daysAgo(13));
  await putBundle('acme', '.half-Xy12ab', daysAgo(20));
  await putBundle('globex', 'old', daysAgo(400));
  expect(await evictBundles(directory, daysAgo(14))).toBe(3);
  expect(await readdir(join(directory, 'acme'))).toEqual(['young']);
  expect(await readdir(join(directory, 'globex'))).toEqual([]);
});

test('what is asked for counts as used from then on', async () => {
  await putBundle('acme', 'old', daysAgo(15));
  const path = await cache(daysAgo(1)).path({ organizationId: 'acme', version: 'old', storageKey: 'a' });
  expect(await evictBundles(directory, daysAgo(14))).toBe(0);
  await access(join(path, 'public', 'picture.png'));
});

test('several workers of one machine remove each bundle once, and fail at none', async () => {
  for (let n = 0; n < 20; n += 1) await putBundle('acme', `old-${n}`, daysAgo(15));
  const evicted = await Promise.all([1, 2, 3].map(() => evictBundles(directory, daysAgo(14))));
  expect(evicted.reduce((sum, one) => sum + one)).toBe(20);
  expect(await readdir(join(directory, 'acme'))).toEqual([]);
});

test('where nothing was ever unpacked there is nothing to do', async () => {
  expect(await evictBundles(join(directory, 'nowhere'), now)).toBe(0);
});
