import { get } from 'node:http';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { type Call, createTenant, refusalOf, storeExport } from '../../support/api.ts';
import { createKey, minutes, noon } from '../../support/factories.ts';
import { bytesOf, downloadNamesOf, downloadsOf } from './download-events.ts';
import { content, openDownloadScene } from './download-scene.ts';

const { api, given, expectEvents } = await openDownloadScene();

const pathOf = (fileId: string, query = '') => `/api/render/download?fileId=${fileId}${query}`;
const download = ({ query, ...call }: Call & { query?: string } = {}) =>
  api.call(pathOf(given.file.fileId, query), { key: given.tenant.key, ...call });

describe('a download', () => {
  test('is the file, byte for byte, with its type, size, name and validators', async () => {
    const response = await download();
    expect(response.status).toBe(200);
    expect(await bytesOf(response)).toEqual(content);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'image/png',
      'content-length': '1000',
      'content-disposition': `attachment; filename="hero-ad-${given.file.row.id.slice(-8)}.png"`,
      etag: expect.stringMatching(/^"[0-9a-f]{64}"$/),
      'last-modified': new Date(noon).toUTCString(),
      'accept-ranges': 'bytes',
      'cache-control': 'private, max-age=0, must-revalidate',
      'x-content-type-options': 'nosniff',
    });
  });

  test.each([
    ['bytes=0-0', 206, [0, 0]],
    ['bytes=0-', 206, [0, 999]],
    ['bytes=100-199', 206, [100, 199]],
    ['bytes=-10', 206, [990, 999]],
    ['bytes=990-5000', 206, [990, 999]],
    ['bytes=0-1,5-6', 200, [0, 999]],
    ['nonsense', 200, [0, 999]],
  ])('of the range %s', async (range, status, [start = 0, end = 0]) => {
    const response = await download({ headers: { range } });
    expect(response.status).toBe(status);
    expect(response.headers.get('content-range')).toBe(status === 206 ? `bytes ${start}-${end}/1000` : null);
    expect(response.headers.get('content-length')).toBe(String(end - start + 1));
    expect(await bytesOf(response)).toEqual(content.subarray(start, end + 1));
  });

  test.each(['bytes=1000-', 'bytes=-0'])(
    'of the range %s is 416, and says how long the file is',
    async (range) => {
      const response = await download({ headers: { range } });
      expect(response.headers.get('content-range')).toBe('bytes */1000');
      expect(response.headers.get('content-type')).toMatch(/^application\/json/);
      expect(await refusalOf(response)).toMatchObject({
        status: 416,
        code: 'range_not_satisfiable',
        details: { sizeInBytes: 1000 },
      });
      await expectEvents([]);
    },
  );

  test('of a range goes on only where the file is still the same', async () => {
    const etag = (await download({ method: 'HEAD' })).headers.get('etag') ?? '';
    const same = await download({ headers: { range: 'bytes=5-9', 'if-range': etag } });
    expect(same.status).toBe(206);
    for (const other of ['"other"', `W/${etag}`, new Date(0).toUTCString()]) {
      const changed = await download({ headers: { range: 'bytes=5-9', 'if-range': other } });
      expect(changed.status).toBe(200);
      expect(await bytesOf(changed)).toHaveLength(1000);
    }
  });

  test('that the client has already is 304, without a body, and is not counted', async () => {
    const etag = (await download({ method: 'HEAD' })).headers.get('etag') ?? '';
    for (const header of [etag, `"x", ${etag}`, `W/${etag}`, '*']) {
      const response = await download({ headers: { 'if-none-match': header } });
      expect(response.status).toBe(304);
      expect(response.headers.get('etag')).toBe(etag);
      expect(await bytesOf(response)).toHaveLength(0);
    }
    await expectEvents([]);
    expect((await download({ headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  test('HEAD tells of the whole file, also where a range was asked for, sends nothing and is not counted', async () => {
    for (const headers of [{}, { range: 'bytes=0-9' }, { range: 'bytes=5000-' }]) {
      const response = await download({ method: 'HEAD', headers });
      expect(response.status).toBe(200);
      expect(response.headers.get('content-length')).toBe('1000');
      expect(await bytesOf(response)).toHaveLength(0);
    }
    await expectEvents([]);
  });

  test.each([
    [
      'Frühling Ⅱ ユーザー',
      /^attachment; filename="Fr.*"; filename\*=UTF-8''Fr%C3%BChling-%E2%85%A1-%E3%83%A6%E3%83%BC%E3%82%B6%E3%83%BC-[0-9a-f]{8}\.png$/,
    ],
    ['../../etc/passwd', /^attachment; filename="etc-passwd-[0-9a-f]{8}\.png"$/],
    ['a"; filename="evil.exe', /^attachment; filename="a-filename-evil\.exe-[0-9a-f]{8}\.png"$/],
    ['🙂', /^attachment; filename="export-[0-9a-f]{8}\.png"$/],
  ])('of a composition named %s has a name that is safe everywhere', async (compositionId, expected) => {
    const named = await storeExport(api, given.who, { compositionId });
    const response = await api.call(pathOf(named.fileId), { key: given.tenant.key, method: 'HEAD' });
    expect(response.headers.get('content-disposition')).toMatch(expected);
  });

  test.each(['lost', 'cut short'])(
    'whose file storage has %s is told as that, and not sent as a broken stream',
    async (damage) => {
      const artifact = await api.db
        .selectFrom('artifact')
        .selectAll()
        .where('file_id', '=', given.file.fileId)
        .executeTakeFirstOrThrow();
      await api.storage.delete(artifact.storage_key);
      if (damage === 'cut short')
        await api.storage.put(artifact.storage_key, Readable.from([Buffer.alloc(10)]));
      const answer = await download();
      expect(answer.headers.get('etag')).toBeNull();
      expect(await refusalOf(answer)).toMatchObject({ status: 500, code: 'file_damaged' });
      await expectEvents([]);
    },
  );
});

describe('who may download', () => {
  test('nobody without a key or a signature, and nobody with a publishable key', async () => {
    const { key } = await createKey(api.db, given.tenant.organizationId, 'publishable');
    expect(await refusalOf(await api.call(pathOf(given.file.fileId)))).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    });
    expect(await refusalOf(await download({ key }))).toMatchObject({ status: 403, code: 'forbidden' });
  });

  test('not another organization: for it there is no such file', async () => {
    const other = await createTenant(api);
    expect(await refusalOf(await download({ key: other.key }))).toMatchObject({
      status: 404,
      message: 'There is no such file.',
    });
    const link = { key: other.key, body: { fileId: given.file.fileId } };
    expect(await refusalOf(await api.call('/api/render/download-link', link))).toMatchObject({ status: 404 });
  });

  test.each(['../../etc/passwd', '..%2F..%2Fetc%2Fpasswd', '%00', '/etc/passwd', newId()])(
    'nothing by the file id %s',
    async (fileId) => {
      expect(await refusalOf(await api.call(pathOf(fileId), { key: given.tenant.key }))).toMatchObject({
        status: 404,
        code: 'not_found',
      });
      const signed = pathOf(fileId, '&expires=9999999999&signature=AAAA');
      expect(await refusalOf(await api.call(signed))).toMatchObject({ status: 403, code: 'link_invalid' });
    },
  );

  test.each([
    ['without a file id', '/api/render/download'],
    ['with two file ids', `${pathOf('a')}&fileId=b`],
    ['with a file id of 65 characters', pathOf('a'.repeat(65))],
    ['with another disposition', pathOf('a', '&disposition=evil')],
    ['with an expiry that is no number', pathOf('a', '&expires=tomorrow&signature=x')],
  ])('%s is 400', async (_name, path) => {
    expect(await refusalOf(await api.call(path, { key: given.tenant.key }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });
});

describe('the count of downloads', () => {
  test('records export_downloaded before and download_completed after, with the facts', async () => {
    await bytesOf(await download());
    await expectEvents(['export_downloaded', 'download_completed']);
    const [begun, completed] = await downloadsOf(api, given.tenant);
    const facts = {
      exportType: 'single_file',
      fileCount: 1,
      sizeInBytes: 1000,
      format: 'png',
      fileId: given.file.fileId,
      exportId: given.file.row.id,
      timestamp: noon,
    };
    expect(begun?.properties).toEqual({ ...facts, download_count: 1, second_download_attempt: false });
    expect(completed?.properties).toEqual({ ...facts, duration: 0 });
  });

  test('is once per client in ten minutes, however many connections and ranges, and again after', async () => {
    await Promise.all(Array.from({ length: 5 }, async () => bytesOf(await download())));
    for (const range of ['bytes=0-499', 'bytes=500-']) await bytesOf(await download({ headers: { range } }));
    await expectEvents(['export_downloaded', 'download_completed']);
    api.clock.advance(minutes(10) + 1);
    await bytesOf(await download());
    await expectEvents([
      'export_downloaded',
      'download_completed',
      'export_downloaded',
      'download_completed',
    ]);
  });

  test('is each link’s own', async () => {
    const link = async (expiresInSeconds: number) => {
      const response = await api.call('/api/render/download-link', {
        key: given.tenant.key,
        body: { fileId: given.file.fileId, expiresInSeconds },
      });
      return ((await response.json()) as { url: string }).url;
    };
    const [one, other] = [await link(60), await link(120)];
    for (const url of [one, one, other]) await bytesOf(await fetch(url));
    await expect
      .poll(
        async () =>
          (await downloadNamesOf(api, given.tenant)).filter((name) => name === 'export_downloaded').length,
      )
      .toBe(2);
  });

  test('begins with byte 0 only', async () => {
    for (const range of ['bytes=1-', 'bytes=-1']) await bytesOf(await download({ headers: { range } }));
    await expectEvents([]);
  });

  test('is completed by the part that ends the file, not by the first one', async () => {
    await bytesOf(await download({ headers: { range: 'bytes=0-499' } }));
    await expectEvents(['export_downloaded']);
    api.clock.advance(3000);
    await bytesOf(await download({ headers: { range: 'bytes=500-' } }));
    await expectEvents(['export_downloaded', 'download_completed']);
  });

  test('leaves out previews', async () => {
    const response = await download({ query: '&disposition=inline' });
    expect(response.headers.get('content-disposition')).toMatch(/^inline; /);
    expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    await bytesOf(response);
    await bytesOf(await download());
    await expectEvents(['export_downloaded', 'download_completed']);
  });

  test('knows a client that went away: export_downloaded is there before the first byte, download_completed is not', async () => {
    // More than the buffers of both ends hold together.
    const large = await storeExport(api, given.who, { content: Buffer.alloc(64 * 1024 * 1024, 7) });
    const headers = { authorization: `Bearer ${given.tenant.key}` };
    const atFirstByte = await new Promise<string[]>((resolve, reject) => {
      const sent = get(api.url + pathOf(large.fileId), { headers }, (response) => {
        response.once('data', () => {
          response.pause();
          downloadNamesOf(api, given.tenant)
            .then(resolve, reject)
            .finally(() => sent.destroy());
        });
      });
      sent.on('error', () => undefined);
    });
    expect(atFirstByte).toEqual(['export_downloaded']);
    // A whole download of another file by the same server afterwards: what the first would have recorded is there by then.
    await bytesOf(await download());
    await expectEvents(['export_downloaded', 'export_downloaded', 'download_completed']);
    const completed = (await downloadsOf(api, given.tenant)).filter(
      (event) => event.event_name === 'download_completed',
    );
    expect(completed.map((event) => event.properties.fileId)).toEqual([given.file.fileId]);

    // The client comes back for the rest.
    api.clock.advance(minutes(5));
    await bytesOf(
      await api.call(pathOf(large.fileId), { key: given.tenant.key, headers: { range: 'bytes=1000-' } }),
    );
    await expect
      .poll(
        async () =>
          (await downloadNamesOf(api, given.tenant)).filter((name) => name === 'download_completed').length,
      )
      .toBe(2);
  });
});
