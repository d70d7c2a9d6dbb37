import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createStorageProbe } from '../../../src/apps/api/storage-probe.ts';
import { RendermillError } from '../../../src/core/errors.ts';
import { createFolderStorage } from '../../../src/platform/storage/folder.ts';
import { createS3Storage, type S3Storage } from '../../../src/platform/storage/s3/s3-storage.ts';
import { startTestApi, type TestApi } from '../../support/api.ts';
import { type S3Emulator, startS3 } from '../../support/aws/s3/start-s3.ts';
import { createTestClock, silentLog, times } from '../../support/factories.ts';

let s3: S3Emulator;
let storage: S3Storage;
let folder: string;
let api: TestApi | undefined;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-ready-'));
  s3 = await startS3();
  s3.createBucket('files');
  storage = createS3Storage({
    bucket: 'files',
    prefix: '',
    region: 'us-east-1',
    endpoint: s3.url,
    forcePathStyle: true,
    credentials: s3.credentials,
    log: silentLog,
  });
});
afterEach(async () => {
  await api?.close();
  api = undefined;
});
afterAll(async () => {
  storage.close();
  await s3.stop();
  await rm(folder, { recursive: true, force: true });
});

const readyOf = async (asked: TestApi) => {
  const response = await asked.call('/readyz');
  const { ready, checks } = (await response.json()) as {
    ready: boolean;
    checks: Record<string, { ok: boolean; detail?: string }>;
  };
  return { status: response.status, ready, checks };
};

test('an API whose folder of files is gone is not ready, says which part that is, and is ready again when it is back', async () => {
  const place = join(folder, 'storage');
  api = await startTestApi({ storage: createFolderStorage({ directory: place }) });
  expect(await readyOf(api)).toMatchObject({ status: 200, checks: { storage: { ok: true } } });
  await rename(place, `${place}-away`);
  api.clock.advance(5_000);
  const away = await readyOf(api);
  expect(away).toMatchObject({
    status: 503,
    ready: false,
    checks: { database: { ok: true }, queue: { ok: true }, storage: { ok: false } },
  });
  expect(away.checks.storage?.detail).toMatch(/storage .* cannot be used/);
  expect(JSON.stringify(away)).not.toContain(folder);
  await rename(`${place}-away`, place);
  api.clock.advance(5_000);
  expect(await readyOf(api)).toMatchObject({ status: 200, ready: true });
  // It asks the process, not the disk, what the disk is like; an API that cannot be asked would be restarted for nothing.
  expect((await api.call('/healthz')).status).toBe(200);
});

test('a folder into which nothing can be written cannot be used', async () => {
  const place = await mkdtemp(join(folder, 'refusing-'));
  // Permissions would not stop root, as which tests may run: a file where the folder of incoming files should be does.
  await writeFile(join(place, '.incoming'), '');
  await expect(createFolderStorage({ directory: place }).check()).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringContaining('cannot be written to'),
  });
});

test('a bucket is asked once in five seconds, however many ask for readiness', async () => {
  api = await startTestApi({ storage });
  const before = s3.requests.length;
  const asked = api;
  await Promise.all(times(20, () => readyOf(asked)));
  await readyOf(asked);
  expect(s3.requests.length - before).toBe(1);
  api.clock.advance(5_000);
  await readyOf(asked);
  expect(s3.requests.length - before).toBe(2);
});

const setUp = (answers: readonly (() => Promise<void>)[], patienceMs = 60_000) => {
  const clock = createTestClock();
  const lines: string[] = [];
  const log = {
    ...silentLog,
    error: (_what: unknown, text: string) => lines.push(`error: ${text}`),
    info: (text: string) => lines.push(`info: ${text}`),
  } as unknown as typeof silentLog;
  const left = [...answers];
  let checks = 0;
  const check = async () => {
    checks += 1;
    await left.shift()?.();
  };
  const probe = createStorageProbe({ storage: { check }, clock, log, patienceMs });
  return { probe, clock, lines, checks: () => checks };
};
const failing = async () => {
  throw new RendermillError('storage_unavailable', {
    message: 'The bucket secret-name at 10.0.0.7 is away.',
  });
};

test('the log is told when it changes, and the answer names no host', async () => {
  const { probe, clock, lines } = setUp([failing, failing]);
  for (const expected of [/cannot be used/, /cannot be used/, undefined]) {
    const problem = await probe();
    if (expected === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(expected);
    expect(problem ?? '').not.toMatch(/secret-name|10\.0\.0\.7/);
    clock.advance(5_000);
  }
  expect(lines).toEqual(['error: storage cannot be used', 'info: storage can be used again']);
});

test('a storage that does not answer is told after a while, and is not asked a second time beside that', async () => {
  let answer = () => undefined as unknown;
  const hanging = () =>
    new Promise<void>((resolve) => {
      answer = () => resolve();
    });
  const { probe, clock, checks } = setUp([hanging], 1);
  expect(await probe()).toMatch(/cannot be used/);
  clock.advance(5_000);
  expect(await probe()).toMatch(/cannot be used/);
  expect(checks()).toBe(1);
  answer();
  clock.advance(5_000);
  expect(await probe()).toBeUndefined();
});
