import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import type { Storage } from '../../../src/platform/storage/contract.ts';
import { createS3Storage, type S3Storage } from '../../../src/platform/storage/s3/s3-storage.ts';
import {
  createTenant,
  refusalOf,
  type StoredFile,
  startTestApi,
  storeExport,
  type Tenant,
  type TestApi,
} from '../../support/api.ts';
import { type S3Emulator, startS3 } from '../../support/aws/s3/start-s3.ts';
import { createUser, noon, silentLog } from '../../support/factories.ts';
import { bytesOf, downloadNamesOf } from './download-events.ts';
import { readBack } from './read-back.ts';

let s3: S3Emulator;
let storage: S3Storage;
let openReads = 0;
let folder: string;
let redirecting: TestApi;
let streaming: TestApi;
let tenant: Tenant;
let who: Metered;
let file: StoredFile;
const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-redirect-'));
  s3 = await startS3();
  s3.createBucket('files');
  storage = createS3Storage({
    bucket: 'files',
    prefix: 'videos/',
    region: 'us-east-1',
    endpoint: s3.url,
    forcePathStyle: true,
    credentials: s3.credentials,
    log: silentLog,
  });
  const counting: Storage = {
    ...storage,
    read: async (key, range) => {
      const body = await storage.read(key, range);
      openReads += 1;
      return body.once('close', () => {
        openReads -= 1;
      });
    },
  };
  streaming = await startTestApi({ storage: counting });
  const { databaseUrl } = streaming;
  redirecting = await startTestApi({
    storage: counting,
    databaseUrl,
    environment: { DOWNLOAD_REDIRECT: 'true' },
  });
});
afterAll(async () => {
  await redirecting.close();
  await streaming.close();
  storage.close();
  await s3.stop();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  for (const api of [redirecting, streaming]) api.clock.set(noon);
  tenant = await createTenant(redirecting);
  who = await createUser(redirecting.db, tenant.organizationId);
  file = await storeExport(redirecting, who, { content });
});

const ask = (query = '', init: RequestInit = {}) =>
  fetch(`${redirecting.url}/api/render/download?fileId=${file.fileId}${query}`, {
    redirect: 'manual',
    ...init,
    headers: { authorization: `Bearer ${tenant.key}`, ...init.headers },
  });
const downloadEvents = () => downloadNamesOf(redirecting, tenant);

describe('a download that is redirected', () => {
  test('leads to a URL of the storage that gives the file by its name and type, and expires in five minutes', async () => {
    const answer = await ask();
    expect(answer.status).toBe(302);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'no-store',
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
    });
    expect(answer.headers.get('content-type')).toBeNull();
    const location = new URL(answer.headers.get('location') ?? '');
    expect(location.searchParams.get('X-Amz-Expires')).toBe('300');
    const given = await fetch(location);
    expect(await bytesOf(given)).toEqual(content);
    expect(given.headers.get('content-type')).toBe('image/png');
    expect(given.headers.get('content-disposition')).toBe(
      `attachment; filename="hero-ad-${file.row.id.slice(-8)}.png"`,
    );
    // The moment is told, the end is not seen.
    expect(await downloadEvents()).toEqual(['export_downloaded']);
  });

  test('is the file to whoever follows, in part where a range was asked for', async () => {
    const part = await ask('', { redirect: 'follow', headers: { range: 'bytes=10-19' } });
    expect([part.status, await bytesOf(part)]).toEqual([206, content.subarray(10, 20)]);
    expect(await downloadEvents()).toEqual([]);
  });

  test('shows a preview inline, and does not count it', async () => {
    const preview = await ask('&disposition=inline', { redirect: 'follow' });
    expect(preview.headers.get('content-disposition')).toMatch(/^inline; /);
    expect(await bytesOf(preview)).toEqual(content);
    expect(await downloadEvents()).toEqual([]);
  });

  test('works by a signed link', async () => {
    const body = { fileId: file.fileId };
    const link = await redirecting.call('/api/render/download-link', { key: tenant.key, body });
    const { url } = (await link.json()) as { url: string };
    expect(await bytesOf(await fetch(url))).toEqual(content);
    expect(await downloadEvents()).toEqual(['export_downloaded']);
  });

  test('is answered here where no bytes are asked for, or none can be given', async () => {
    const head = await ask('', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '1000']);
    const etag = head.headers.get('etag') ?? '';
    expect((await ask('', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await ask('', { headers: { range: 'bytes=1000-' } })).status).toBe(416);
    expect((await ask('', { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
    const { storage_key: key } = await redirecting.db
      .selectFrom('artifact')
      .select('storage_key')
      .where('file_id', '=', file.fileId)
      .executeTakeFirstOrThrow();
    await storage.delete(key);
    expect(await refusalOf(await ask())).toMatchObject({ status: 500, code: 'file_damaged' });
    expect(await downloadEvents()).toEqual([]);
  });
});

describe('from a bucket, without a redirect', () => {
  test('a file streams through, and its end is seen', async () => {
    const answer = await streaming.call(`/api/render/download?fileId=${file.fileId}`, { key: tenant.key });
    expect([answer.status, await bytesOf(answer)]).toEqual([200, content]);
    await expect.poll(downloadEvents).toEqual(['export_downloaded', 'download_completed']);
  });

  test('a storage that is away is 503, and not a damaged file', async () => {
    s3.faults.push({ match: ({ method }) => method === 'HEAD', times: 4, status: 503, code: 'SlowDown' });
    const answer = await streaming.call(`/api/render/download?fileId=${file.fileId}`, { key: tenant.key });
    expect(await refusalOf(answer)).toMatchObject({ status: 503, code: 'storage_unavailable' });
    expect(await downloadEvents()).toEqual([]);
  });

  test('an archive streams, also where single files are redirected', async () => {
    const other = await storeExport(redirecting, who, { content: Buffer.from('other') });
    const path = `/api/export/zip?fileIds=${file.fileId},${other.fileId}`;
    const answer = await redirecting.call(path, { key: tenant.key });
    const zip = join(folder, 'all.zip');
    await writeFile(zip, await bytesOf(answer));
    expect((await readBack(zip)).map(({ size }) => size)).toEqual([1000, 5]);
  });

  test('an archive opens one object at a time, and closes it when the client goes', async () => {
    const large = () => storeExport(redirecting, who, { content: Buffer.alloc(48 * 1024 * 1024, 7) });
    const files = [await large(), await large()];
    s3.requests.length = 0;
    const path = `/api/export/zip?fileIds=${files.map((one) => one.fileId).join(',')}`;
    const reads = () => s3.requests.filter(({ method }) => method === 'GET').length;
    let atFirstByte: number[] = [];
    await new Promise<void>((resolve) => {
      const headers = { authorization: `Bearer ${tenant.key}` };
      const request = httpGet(redirecting.url + path, { headers }, (response) => {
        response.once('data', () => {
          atFirstByte = [reads(), openReads];
          request.destroy();
          resolve();
        });
      });
      request.on('error', () => undefined);
    });
    expect(atFirstByte).toEqual([1, 1]);
    await expect.poll(() => openReads, { timeout: 10_000 }).toBe(0);
    expect(reads()).toBe(1);
  });
});
