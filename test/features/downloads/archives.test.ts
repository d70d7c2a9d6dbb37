import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { createTenant, refusalOf, storeExport } from '../../support/api.ts';
import { createUser, noon } from '../../support/factories.ts';
import { openArchiveScene, textIn } from './archive-scene.ts';
import { bytesOf } from './download-events.ts';
import { readBack } from './read-back.ts';
import { storeBatch } from './stored-batch.ts';

const { api, given, zip, ofBatch, expectEvents, artifactOf, save, entriesOf, namesIn } =
  await openArchiveScene();

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
    for (const [index, file] of given.batch.files.entries())
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
    const [lamp] = given.batch.files;
    const artifact = await artifactOf(lamp?.fileId ?? '');
    expect(manifest).toMatchObject({
      version: 1,
      campaign: { id: given.batch.id, campaignId: 'spring sale', run: 1 },
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

describe('a campaign that is', () => {
  const running = () =>
    storeBatch(
      api,
      given.who,
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
    await storeBatch(api, given.who, [{ variant: 'bad', outcome: 'failed' }], {
      status,
      campaignId: 'all bad',
    });
    for (const query of ['campaignId=all%20bad', 'campaignId=all%20bad&partial=true'])
      expect(await refusalOf(await zip(query))).toMatchObject({ status: 409, code: 'nothing_to_download' });
    await expectEvents([]);
  });

  test('in a language that the store does not have is 409, and names it', async () => {
    await storeBatch(api, given.who, [{ variant: 'x', locale: 'tlh' }], { campaignId: 'klingon' });
    expect(await refusalOf(await zip('campaignId=klingon&layout=app-store'))).toMatchObject({
      status: 409,
      code: 'layout_impossible',
      details: { locales: ['tlh'] },
    });
  });

  test.each(['lost', 'cut short'])(
    'partly %s in storage is told as that before anything is sent',
    async (damage) => {
      const damaged = given.batch.files[1]?.fileId ?? '';
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
    const single = await storeExport(api, given.who, {
      content: Buffer.from('single'),
      compositionId: 'open',
    });
    const name = `open-${single.row.id.slice(-8)}`;
    const ids = idsOf([single, ...given.batch.files, single]);
    const response = await zip(`fileIds=${ids}&layout=flat`);
    expect(response.headers.get('content-disposition')).toMatch(/filename="files-[0-9a-f]{8}\.zip"/);
    expect(await namesIn(response)).toEqual([
      `${name}.png`,
      'lamp-square-de-DE.png',
      'Stuhl-square-de-DE.png',
      'lamp-square-en-US.png',
    ]);
    expect(await namesIn(await zip(`fileIds=${single.fileId}`))).toEqual([`any/1080x1080/${name}.png`]);
    const repeated = given.batch.files.map((file) => `fileIds=${file.fileId}`).join('&');
    expect(await namesIn(await zip(repeated))).toHaveLength(3);
  });

  test('with a file of another organization is 404, as if it did not exist', async () => {
    const other = await createTenant(api);
    const theirs = await storeExport(api, await createUser(api.db, other.organizationId));
    for (const stranger of [theirs.fileId, newId(), 'nonsense']) {
      const refusal = await refusalOf(await zip(`fileIds=${idsOf(given.batch.files)},${stranger}`));
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
