import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { exportToZip } from '../../../src/features/downloads/export-to-zip.ts';
import {
  createTenant,
  refusalOf,
  startTestApi,
  storeExport,
  type Tenant,
  type TestApi,
} from '../../support/api.ts';
import { createKey, createUser, eventsOf, minutes, noon } from '../../support/factories.ts';
import { readBack, unzipTest } from './read-back.ts';
import { type StoredBatch, storeBatch } from './stored-batch.ts';

let api: TestApi;
let tenant: Tenant;
let who: Metered;
let batch: StoredBatch;
let folder: string;

beforeAll(async () => {
  api = await startTestApi();
  folder = await mkdtemp(join(tmpdir(), 'rendermill-archives-'));
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  api.clock.set(noon);
  tenant = await createTenant(api);
  who = await createUser(api.db, tenant.organizationId);
  batch = await storeBatch(api, who, [
    { variant: 'lamp', locale: 'de-DE', content: Buffer.from('a lamp') },
    { variant: 'Stuhl', locale: 'de-DE', content: Buffer.alloc(70_000, 1) },
    { variant: 'lamp', locale: 'en-US', content: Buffer.alloc(300_000, 2) },
    { variant: 'broken', locale: 'de-DE', outcome: 'failed' },
  ]);
});

const zip = (
  query: string,
  given: { method?: string; key?: string; headers?: Record<string, string> } = {},
) => api.call(`/api/export/zip?${query}`, { key: tenant.key, ...given });
const ofBatch = (more = '') => `campaignId=${batch.id}${more}`;
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());
const save = async (bytes: Buffer): Promise<string> => {
  const path = join(folder, `${newId()}.zip`);
  await writeFile(path, bytes);
  return path;
};
const entriesOf = async (response: Response) => {
  expect(response.status).toBe(200);
  const bytes = await bytesOf(response);
  expect(response.headers.get('content-length')).toBe(String(bytes.length));
  const path = await save(bytes);
  await unzipTest(path);
  return readBack(path);
};
const namesIn = async (response: Response) => (await entriesOf(response)).map((entry) => entry.name);
const downloadEvents = async (organizationId = tenant.organizationId) =>
  (await eventsOf(api.db, organizationId)).filter((event) => /download/.test(event.event_name));
const expectEvents = (names: readonly string[]) =>
  expect.poll(async () => (await downloadEvents()).map((event) => event.event_name)).toEqual(names);
const artifactOf = (fileId: string) =>
  api.db.selectFrom('artifact').selectAll().where('file_id', '=', fileId).executeTakeFirstOrThrow();

describe('an archive of a campaign', () => {
  test('holds its files byte for byte, by its id and by the name that the tenant gave it', async () => {
    const response = await zip(ofBatch());
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'application/zip',
      'content-disposition': 'attachment; filename="spring-sale.zip"',
      'accept-ranges': 'none',
      'cache-control': 'private, no-store',
    });
    const entries = await entriesOf(response);
    expect(entries.map(({ name, size, stored, modified }) => [name, size, stored, modified])).toEqual([
      ['de-DE/phone/lamp-square.png', 6, true, '2026-03-10T12:00:00'],
      ['de-DE/phone/Stuhl-square.png', 70_000, true, '2026-03-10T12:00:00'],
      ['en-US/phone/lamp-square.png', 300_000, true, '2026-03-10T12:00:00'],
    ]);
    for (const [index, file] of batch.files.entries())
      expect(entries[index]?.sha256).toBe((await artifactOf(file.fileId)).sha256);
    expect(await namesIn(await zip('campaignId=spring%20sale'))).toHaveLength(3);
  });

  test.each([
    ['device-first', 'phone/de-DE/lamp-square.png'],
    ['flat', 'lamp-square-de-DE.png'],
    ['app-store', 'screenshots/de-DE/phone-lamp-square.png'],
    ['google-play', 'metadata/android/de-DE/images/phoneScreenshots/lamp-square.png'],
  ])('is laid out as %s where that is asked for', async (layout, first) => {
    expect((await namesIn(await zip(ofBatch(`&layout=${layout}`))))[0]).toBe(first);
  });

  test('is the same bytes each time', async () => {
    const query = ofBatch('&manifest=true');
    expect((await bytesOf(await zip(query))).equals(await bytesOf(await zip(query)))).toBe(true);
  });

  test('has a manifest at its end where that is asked for, which tells of every file and every failure', async () => {
    const bytes = await bytesOf(await zip(ofBatch('&manifest=true')));
    const path = await save(bytes);
    const entries = await readBack(path);
    expect(entries.at(-1)?.name).toBe('manifest.json');
    const manifest = JSON.parse(await textIn(path, 'manifest.json'));
    const [lamp] = batch.files;
    const artifact = await artifactOf(lamp?.fileId ?? '');
    expect(manifest).toMatchObject({
      version: 1,
      campaign: { id: batch.id, campaignId: 'spring sale', run: 1 },
      layout: 'locale-first',
      generatedAt: noon,
      unfinished: 0,
      failures: [
        {
          variant: 'broken',
          locale: 'de-DE',
          size: 'square',
          code: 'composition_error',
          message: 'It threw.',
        },
      ],
    });
    expect(manifest.files[0]).toEqual({
      path: 'de-DE/phone/lamp-square.png',
      fileId: lamp?.fileId,
      exportId: lamp?.row.id,
      sha256: artifact.sha256,
      sizeInBytes: 6,
      mediaType: 'image/png',
      width: 1080,
      height: 1080,
      variant: 'lamp',
      locale: 'de-DE',
      size: 'square',
      device: 'phone',
      props: { title: 'lamp' },
      cached: false,
    });
    expect(manifest.files.map((file: { path: string; sha256: string }) => [file.path, file.sha256])).toEqual(
      entries.slice(0, -1).map((entry) => [entry.name, entry.sha256]),
    );
  });

  test('answers HEAD with its length, sends nothing and is not counted', async () => {
    const response = await zip(ofBatch('&manifest=true'), { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(await bytesOf(response)).toHaveLength(0);
    await expectEvents([]);
    const whole = await bytesOf(await zip(ofBatch('&manifest=true')));
    expect(response.headers.get('content-length')).toBe(String(whole.length));
  });

  test('is whole where a range was asked for', async () => {
    const response = await zip(ofBatch(), { headers: { range: 'bytes=0-9' } });
    expect(await namesIn(response)).toHaveLength(3);
  });

  test('for many at once is whole for each', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, () => zip(ofBatch()).then(bytesOf)));
    expect(new Set(all.map((bytes) => bytes.toString('base64'))).size).toBe(1);
  });
});

const textIn = async (path: string, name: string): Promise<string> => {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve, reject) =>
    execFile('unzip', ['-p', path, name], (error, stdout) => (error ? reject(error) : resolve(stdout))),
  );
};

describe('a campaign that is', () => {
  const running = () =>
    storeBatch(
      api,
      who,
      [{ variant: 'done' }, { variant: 'bad', outcome: 'failed' }, { variant: 'next', outcome: 'queued' }],
      { status: 'running', campaignId: 'live' },
    );

  test('running is 409, and says how far it is', async () => {
    await running();
    expect(await refusalOf(await zip('campaignId=live'))).toMatchObject({
      status: 409,
      code: 'batch_running',
      details: { done: 2, total: 3, status: 'running' },
    });
    await expectEvents([]);
  });

  test('running gives what there is with partial=true, and its manifest says what is missing', async () => {
    await running();
    const response = await zip('campaignId=live&partial=true&manifest=true');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="live-partial.zip"');
    const path = await save(await bytesOf(response));
    expect((await readBack(path)).map((entry) => entry.name)).toEqual([
      'any/phone/done-square.png',
      'manifest.json',
    ]);
    expect(JSON.parse(await textIn(path, 'manifest.json'))).toMatchObject({
      generatedAt: noon,
      unfinished: 1,
      failures: [{ variant: 'bad', code: 'composition_error' }],
    });
  });

  test('without any finished file is 409', async () => {
    const status = 'failed' as const;
    await storeBatch(api, who, [{ variant: 'bad', outcome: 'failed' }], { status, campaignId: 'all bad' });
    for (const query of ['campaignId=all%20bad', 'campaignId=all%20bad&partial=true'])
      expect(await refusalOf(await zip(query))).toMatchObject({ status: 409, code: 'nothing_to_download' });
    await expectEvents([]);
  });

  test('in a language that the store does not have is 409, and names it', async () => {
    await storeBatch(api, who, [{ variant: 'x', locale: 'tlh' }], { campaignId: 'klingon' });
    expect(await refusalOf(await zip('campaignId=klingon&layout=app-store'))).toMatchObject({
      status: 409,
      code: 'layout_impossible',
      details: { locales: ['tlh'] },
    });
  });

  test.each(['lost', 'cut short'])(
    'partly %s in storage is told as that before anything is sent',
    async (damage) => {
      const damaged = batch.files[1]?.fileId ?? '';
      const { storage_key } = await artifactOf(damaged);
      await api.storage.delete(storage_key);
      if (damage === 'cut short') await api.storage.put(storage_key, Readable.from([Buffer.alloc(10)]));
      for (const method of ['GET', 'HEAD']) {
        const answer = await zip(ofBatch(), { method });
        expect(answer.status).toBe(500);
        expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
        if (method === 'GET')
          expect(await refusalOf(answer)).toMatchObject({
            code: 'file_damaged',
            details: { fileIds: [damaged], damaged: 1 },
          });
      }
      await expectEvents([]);
    },
  );
});

describe('an archive of a list of files', () => {
  const idsOf = (files: readonly { fileId: string }[]) => files.map((file) => file.fileId).join(',');

  test('holds them in the order of the list, once each, cells of a batch under their own names', async () => {
    const single = await storeExport(api, who, { content: Buffer.from('single'), compositionId: 'open' });
    const name = `open-${single.row.id.slice(-8)}`;
    const ids = idsOf([single, ...batch.files, single]);
    const response = await zip(`fileIds=${ids}&layout=flat`);
    expect(response.headers.get('content-disposition')).toMatch(/filename="files-[0-9a-f]{8}\.zip"/);
    expect(await namesIn(response)).toEqual([
      `${name}.png`,
      'lamp-square-de-DE.png',
      'Stuhl-square-de-DE.png',
      'lamp-square-en-US.png',
    ]);
    expect(await namesIn(await zip(`fileIds=${single.fileId}`))).toEqual([`any/1080x1080/${name}.png`]);
    const repeated = batch.files.map((file) => `fileIds=${file.fileId}`).join('&');
    expect(await namesIn(await zip(repeated))).toHaveLength(3);
  });

  test('with a file of another organization is 404, as if it did not exist', async () => {
    const other = await createTenant(api);
    const theirs = await storeExport(api, await createUser(api.db, other.organizationId));
    for (const stranger of [theirs.fileId, newId(), 'nonsense']) {
      const refusal = await refusalOf(await zip(`fileIds=${idsOf(batch.files)},${stranger}`));
      expect(refusal).toMatchObject({
        status: 404,
        code: 'not_found',
        message: `There is no file ${stranger}.`,
        details: { fileIds: [stranger] },
      });
    }
    await expectEvents([]);
  });
});

describe('who may have an archive', () => {
  test('nobody without a key or a signature, and nobody with a publishable key', async () => {
    const { key } = await createKey(api.db, tenant.organizationId, 'publishable');
    expect(await refusalOf(await api.call(`/api/export/zip?${ofBatch()}`))).toMatchObject({ status: 401 });
    expect(await refusalOf(await zip(ofBatch(), { key }))).toMatchObject({ status: 403, code: 'forbidden' });
    const link = { body: { campaignId: batch.id } };
    expect((await api.call('/api/export/zip-link', link)).status).toBe(401);
    expect((await api.call('/api/export/zip-link', { ...link, key })).status).toBe(403);
  });

  test('not another organization: for it there is no such campaign, nor for its links', async () => {
    const other = await createTenant(api);
    for (const query of [ofBatch(), 'campaignId=spring%20sale'])
      expect(await refusalOf(await zip(query, { key: other.key }))).toMatchObject({
        status: 404,
        code: 'not_found',
      });
    const link = { key: other.key, body: { campaignId: batch.id } };
    expect(await refusalOf(await api.call('/api/export/zip-link', link))).toMatchObject({ status: 404 });
  });

  test.each([
    ['nothing', ''],
    ['both', `campaignId=x&fileIds=${newId()}`],
    ['an empty list', 'fileIds='],
    ['a list of commas', 'fileIds=,,'],
    ['an unknown layout', 'campaignId=x&layout=upside-down'],
    ['a manifest of another kind', 'campaignId=x&manifest=maybe'],
    ['an expiry that is no number', 'campaignId=x&expires=tomorrow&signature=x'],
  ])('by %s is 400', async (_name, query) => {
    expect(await refusalOf(await zip(query))).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('a signed link to an archive', () => {
  const linkOf = async (body: Record<string, unknown>) => {
    const response = await api.call('/api/export/zip-link', { key: tenant.key, body });
    expect(response.status).toBe(200);
    return (await response.json()) as { url: string; expiresAt: string };
  };
  const options = { layout: 'flat', manifest: true, partial: true };

  test('gives it without a key, until it expires', async () => {
    const { url, expiresAt } = await linkOf({ campaignId: 'spring sale', ...options, expiresInSeconds: 60 });
    expect(url.startsWith(`${api.url}/api/export/zip?campaignId=${batch.id}&`)).toBe(true);
    expect(expiresAt).toBe('2026-03-10T12:01:00.000Z');
    expect(await namesIn(await fetch(url))).toHaveLength(4);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    api.clock.advance(59_999);
    expect((await fetch(url)).status).toBe(200);
    api.clock.advance(1);
    expect(await refusalOf(await fetch(url))).toMatchObject({ status: 403, code: 'link_invalid' });
  });

  test('to a list of files opens these files', async () => {
    const { url } = await linkOf({ fileIds: batch.files.map((file) => file.fileId) });
    expect(await namesIn(await fetch(url))).toHaveLength(3);
  });

  test('that was tampered with in any parameter is 403, and does not say in what', async () => {
    const other = await createTenant(api);
    const another = await storeBatch(api, who, [{ variant: 'secret' }], { campaignId: 'another' });
    const { url } = await linkOf({ campaignId: batch.id, ...options });
    const files = await linkOf({ fileIds: batch.files.map((file) => file.fileId) });
    const single = await api.call('/api/render/download-link', {
      key: tenant.key,
      body: { fileId: another.files[0]?.fileId },
    });
    const singleLink = new URL(((await single.json()) as { url: string }).url).searchParams;
    const change = (from: string, name: string, value: string | null) => {
      const changed = new URL(from);
      if (value === null) changed.searchParams.delete(name);
      else changed.searchParams.set(name, value);
      return changed;
    };
    const signature = new URL(url).searchParams.get('signature') ?? '';
    const wrong = [
      change(url, 'campaignId', another.id),
      change(url, 'campaignId', 'spring sale'),
      change(url, 'layout', 'locale-first'),
      change(url, 'layout', null),
      change(url, 'manifest', 'false'),
      change(url, 'manifest', null),
      change(url, 'partial', 'false'),
      change(url, 'partial', null),
      change(url, 'organization', other.organizationId),
      change(url, 'organization', 'nobody'),
      change(url, 'expires', String(Number(new URL(url).searchParams.get('expires')) + 1)),
      change(url, 'signature', (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1)),
      change(url, 'signature', `${signature}=`),
      change(url, 'signature', ''),
      change(url, 'signature', new URL(files.url).searchParams.get('signature')),
      change(files.url, 'fileIds', another.files[0]?.fileId ?? ''),
      change(
        files.url,
        'fileIds',
        `${new URL(files.url).searchParams.get('fileIds')},${another.files[0]?.fileId}`,
      ),
      // Of a single file's link: another purpose.
      change(
        change(files.url, 'signature', singleLink.get('signature')).href,
        'expires',
        singleLink.get('expires'),
      ),
    ];
    for (const one of wrong)
      expect([one.search, await refusalOf(await fetch(one))]).toMatchObject([
        one.search,
        { status: 403, code: 'link_invalid' },
      ]);
    for (const missing of ['expires', 'organization'])
      expect(await refusalOf(await fetch(change(url, missing, null)))).toMatchObject({ status: 401 });
    await expectEvents([]);
  });
});

describe('the count of archives', () => {
  test('records export_downloaded before and download_completed after, with the facts of the archive itself', async () => {
    const bytes = await bytesOf(await zip(ofBatch('&layout=flat&manifest=true')));
    await expectEvents(['export_downloaded', 'download_completed']);
    const [begun, completed] = await downloadEvents();
    const facts = {
      exportType: 'zip',
      fileCount: 3,
      sizeInBytes: bytes.length,
      format: 'png',
      batchId: batch.id,
      timestamp: noon,
    };
    expect(begun?.properties).toEqual({
      ...facts,
      organizationStrategy: 'flat',
      includesManifest: true,
      download_count: 1,
      second_download_attempt: false,
    });
    expect(completed?.properties).toEqual({ ...facts, duration: 0 });
    const rows = await api.db
      .selectFrom('domain_event')
      .select(['user_id', 'entity_type', 'entity_id', 'source'])
      .where('organization_id', '=', tenant.organizationId)
      .where('event_name', 'like', '%download%')
      .execute();
    const envelope = { user_id: who.userId, entity_type: 'batch', entity_id: batch.id, source: 'server' };
    expect(rows).toEqual([envelope, envelope]);
  });

  test('is once per client in ten minutes, also of a list in another order, and again after', async () => {
    const ids = batch.files.map((file) => file.fileId);
    const lists = [ids.join(','), ids.toReversed().join(',')];
    await Promise.all(
      lists.flatMap((list) => [list, list]).map(async (list) => bytesOf(await zip(`fileIds=${list}`))),
    );
    await expectEvents(['export_downloaded', 'download_completed']);
    api.clock.advance(minutes(10) + 1);
    await bytesOf(await zip(`fileIds=${lists[0]}`));
    await expectEvents([
      'export_downloaded',
      'download_completed',
      'export_downloaded',
      'download_completed',
    ]);
  });

  test('names the user, and the format, of a list only where all files have the same', async () => {
    const other = await createUser(api.db, tenant.organizationId, { id: 'user-2' });
    const theirs = await storeExport(api, other, { format: 'jpeg' });
    await bytesOf(await zip(`fileIds=${batch.files[0]?.fileId},${theirs.fileId}`));
    await expectEvents(['export_downloaded', 'download_completed']);
    const begun = (await downloadEvents())[0]?.properties;
    expect(begun).toMatchObject({
      fileCount: 2,
      organizationStrategy: 'locale-first',
      includesManifest: false,
    });
    expect(Object.keys(begun ?? {})).not.toEqual(expect.arrayContaining(['format']));
    const row = await api.db
      .selectFrom('domain_event')
      .select('user_id')
      .where('organization_id', '=', tenant.organizationId)
      .where('event_name', '=', 'export_downloaded')
      .executeTakeFirstOrThrow();
    expect(row.user_id).toBeNull();
  });
});

describe('a client that goes away', () => {
  /** What of storage this process has open. */
  const openFiles = (): string[] =>
    readdirSync('/proc/self/fd').flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.includes('/storage/') ? [target] : [];
      } catch {
        return [];
      }
    });
  const megabytes = (count: number) => Buffer.alloc(count * 1024 * 1024, 7);
  const large = () =>
    storeBatch(
      api,
      who,
      Array.from({ length: 6 }, (_, index) => ({ variant: `v${index}`, content: megabytes(12) })),
      { campaignId: 'large' },
    );

  /** Reads so many bytes and leaves. */
  const leaveAfter = (path: string, bytes: number) =>
    new Promise<void>((resolve, reject) => {
      const sent = get(
        api.url + path,
        { headers: { authorization: `Bearer ${tenant.key}` } },
        (response: IncomingMessage) => {
          let seen = 0;
          response.on('data', (chunk: Buffer) => {
            seen += chunk.length;
            if (seen < bytes) return;
            response.pause();
            sent.destroy();
            resolve();
          });
          response.on('error', () => undefined);
          response.on('end', () => reject(new Error('it was not large enough')));
        },
      );
      sent.on('error', () => undefined);
    });

  test('leaves no file open and no memory taken, however often, and is not counted as completed', {
    timeout: 120_000,
  }, async () => {
    const { id } = await large();
    const path = `/api/export/zip?campaignId=${id}`;
    const sockets = () => readdirSync('/proc/self/fd').length;
    await leaveAfter(path, 1000);
    await expect.poll(openFiles).toEqual([]);
    const before = { memory: process.memoryUsage().rss, sockets: sockets() };
    for (let round = 0; round < 15; round += 1) {
      await Promise.all([1, 9_000_000, 20_000_000, 33_000_000].map((bytes) => leaveAfter(path, bytes)));
    }
    await expect.poll(openFiles).toEqual([]);
    await expect.poll(() => sockets() - before.sockets).toBeLessThan(8);
    expect(process.memoryUsage().rss - before.memory).toBeLessThan(150 * 1024 * 1024);
    expect((await downloadEvents()).map((event) => event.event_name)).toEqual(['export_downloaded']);
  });

  test('slowly keeps one file open at a time, and the rest unread', async () => {
    const { id } = await large();
    const headers = { authorization: `Bearer ${tenant.key}` };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(`${api.url}/api/export/zip?campaignId=${id}`, { headers }, (answer) => {
        answer.pause();
        resolve(answer);
      }).on('error', reject);
    });
    await expect.poll(openFiles).toHaveLength(1);
    const [first] = openFiles();
    response.destroy();
    await expect.poll(openFiles).toEqual([]);
    expect(first).toMatch(/\.png$/);
  });
});

test('a file that vanishes after the first byte breaks the connection: no client takes a part for the whole', async () => {
  const { id, files } = await storeBatch(
    api,
    who,
    Array.from({ length: 3 }, (_, index) => ({
      variant: `v${index}`,
      content: Buffer.alloc(16 * 1024 * 1024, index),
    })),
    { campaignId: 'vanishing' },
  );
  const headers = { authorization: `Bearer ${tenant.key}` };
  const last = await artifactOf(files[2]?.fileId ?? '');
  const ended = await new Promise<string>((resolve, reject) => {
    get(`${api.url}/api/export/zip?campaignId=${id}`, { headers }, (response) => {
      response.pause();
      response
        .on('end', () => resolve('whole'))
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      api.storage.delete(last.storage_key).then(() => response.resume(), reject);
    }).on('error', reject);
  });
  expect(ended).toBe('ECONNRESET');
  await expectEvents(['export_downloaded']);
});

describe('exportToZip', () => {
  const toZip = (
    outputPath: string,
    given: { campaignId?: string; fileIds?: string[] } = { campaignId: batch.id },
  ) =>
    exportToZip(api, { organizationId: tenant.organizationId, outputPath, includeManifest: true, ...given });

  test('writes the archive that the route sends, and counts as a download each time', async () => {
    const directory = await mkdtemp(join(folder, 'out-'));
    const path = join(directory, 'deep', 'campaign.zip');
    const result = await toZip(path);
    const bytes = await readFile(path);
    expect(result).toEqual({ success: true, zipPath: path, fileCount: 3, sizeInBytes: bytes.length });
    await toZip(path);
    expect(await readdir(join(directory, 'deep'))).toEqual(['campaign.zip']);
    const names = ['export_downloaded', 'download_completed'];
    expect((await downloadEvents()).map((event) => event.event_name)).toEqual([...names, ...names]);
    expect((await downloadEvents())[0]?.properties).toEqual({
      exportType: 'zip',
      fileCount: 3,
      sizeInBytes: bytes.length,
      format: 'png',
      batchId: batch.id,
      organizationStrategy: 'locale-first',
      includesManifest: true,
      download_count: 1,
      second_download_attempt: false,
      timestamp: noon,
    });
    expect(bytes.equals(await bytesOf(await zip(ofBatch('&manifest=true'))))).toBe(true);
  });

  test('that fails leaves what was there, nothing beside it, and is not counted', async () => {
    const directory = await mkdtemp(join(folder, 'out-'));
    const path = join(directory, 'campaign.zip');
    await writeFile(path, 'an older one');
    const { storage_key } = await artifactOf(batch.files[2]?.fileId ?? '');
    const vanishing = { ...api.storage, read: () => Promise.reject(new Error('gone')) };
    await expect(
      exportToZip(
        { ...api, storage: vanishing },
        { organizationId: tenant.organizationId, campaignId: batch.id, outputPath: path },
      ),
    ).rejects.toThrow('gone');
    await api.storage.delete(storage_key);
    await expect(toZip(path)).rejects.toMatchObject({ code: 'file_damaged' });
    await expect(toZip(path, { fileIds: [newId()] })).rejects.toMatchObject({ code: 'not_found' });
    expect(await readdir(directory)).toEqual(['campaign.zip']);
    expect(await readFile(path, 'utf8')).toBe('an older one');
    expect(await downloadEvents()).toEqual([]);
  });
});
