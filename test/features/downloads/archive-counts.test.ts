import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { exportToZip } from '../../../src/features/downloads/export-to-zip.ts';
import { storeExport } from '../../support/api.ts';
import { createUser, minutes, noon } from '../../support/factories.ts';
import { openArchiveScene } from './archive-scene.ts';
import { bytesOf, downloadNamesOf, downloadsOf } from './download-events.ts';
import { storeBatch } from './stored-batch.ts';

const { api, folder, given, zip, ofBatch, expectEvents, artifactOf } = await openArchiveScene();

describe('the count of archives', () => {
  test('records export_downloaded before and download_completed after, with the facts of the archive itself', async () => {
    const bytes = await bytesOf(await zip(ofBatch('&layout=flat&manifest=true')));
    await expectEvents(['export_downloaded', 'download_completed']);
    const [begun, completed] = await downloadsOf(api, given.tenant);
    const facts = {
      exportType: 'zip',
      fileCount: 3,
      sizeInBytes: bytes.length,
      format: 'png',
      batchId: given.batch.id,
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
      .where('organization_id', '=', given.tenant.organizationId)
      .where('event_name', 'like', '%download%')
      .execute();
    const envelope = {
      user_id: given.who.userId,
      entity_type: 'batch',
      entity_id: given.batch.id,
      source: 'server',
    };
    expect(rows).toEqual([envelope, envelope]);
  });

  test('is once per client in ten minutes, also of a list in another order, and again after', async () => {
    const ids = given.batch.files.map((file) => file.fileId);
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
    const other = await createUser(api.db, given.tenant.organizationId, { id: 'user-2' });
    const theirs = await storeExport(api, other, { format: 'jpeg' });
    await bytesOf(await zip(`fileIds=${given.batch.files[0]?.fileId},${theirs.fileId}`));
    await expectEvents(['export_downloaded', 'download_completed']);
    const begun = (await downloadsOf(api, given.tenant))[0]?.properties;
    expect(begun).toMatchObject({
      fileCount: 2,
      organizationStrategy: 'locale-first',
      includesManifest: false,
    });
    expect(Object.keys(begun ?? {})).not.toEqual(expect.arrayContaining(['format']));
    const row = await api.db
      .selectFrom('domain_event')
      .select('user_id')
      .where('organization_id', '=', given.tenant.organizationId)
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
      given.who,
      Array.from({ length: 6 }, (_, index) => ({ variant: `v${index}`, content: megabytes(12) })),
      { campaignId: 'large' },
    );

  /** Reads so many bytes and leaves. */
  const leaveAfter = (path: string, bytes: number) =>
    new Promise<void>((resolve, reject) => {
      const sent = get(
        api.url + path,
        { headers: { authorization: `Bearer ${given.tenant.key}` } },
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
    expect(await downloadNamesOf(api, given.tenant)).toEqual(['export_downloaded']);
  });

  test('slowly keeps one file open at a time, and the rest unread', async () => {
    const { id } = await large();
    const headers = { authorization: `Bearer ${given.tenant.key}` };
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
    given.who,
    Array.from({ length: 3 }, (_, index) => ({
      variant: `v${index}`,
      content: Buffer.alloc(16 * 1024 * 1024, index),
    })),
    { campaignId: 'vanishing' },
  );
  const headers = { authorization: `Bearer ${given.tenant.key}` };
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
    what: { campaignId?: string; fileIds?: string[] } = { campaignId: given.batch.id },
  ) =>
    exportToZip(api, {
      organizationId: given.tenant.organizationId,
      outputPath,
      includeManifest: true,
      ...what,
    });

  test('writes the archive that the route sends, and counts as a download each time', async () => {
    const directory = await mkdtemp(join(folder, 'out-'));
    const path = join(directory, 'deep', 'campaign.zip');
    const result = await toZip(path);
    const bytes = await readFile(path);
    expect(result).toEqual({ success: true, zipPath: path, fileCount: 3, sizeInBytes: bytes.length });
    await toZip(path);
    expect(await readdir(join(directory, 'deep'))).toEqual(['campaign.zip']);
    const names = ['export_downloaded', 'download_completed'];
    expect(await downloadNamesOf(api, given.tenant)).toEqual([...names, ...names]);
    expect((await downloadsOf(api, given.tenant))[0]?.properties).toEqual({
      exportType: 'zip',
      fileCount: 3,
      sizeInBytes: bytes.length,
      format: 'png',
      batchId: given.batch.id,
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
    const { storage_key } = await artifactOf(given.batch.files[2]?.fileId ?? '');
    const vanishing = { ...api.storage, read: () => Promise.reject(new Error('gone')) };
    await expect(
      exportToZip(
        { ...api, storage: vanishing },
        { organizationId: given.tenant.organizationId, campaignId: given.batch.id, outputPath: path },
      ),
    ).rejects.toThrow('gone');
    await api.storage.delete(storage_key);
    await expect(toZip(path)).rejects.toMatchObject({ code: 'file_damaged' });
    await expect(toZip(path, { fileIds: [newId()] })).rejects.toMatchObject({ code: 'not_found' });
    expect(await readdir(directory)).toEqual(['campaign.zip']);
    expect(await readFile(path, 'utf8')).toBe('an older one');
    expect(await downloadsOf(api, given.tenant)).toEqual([]);
  });
});
