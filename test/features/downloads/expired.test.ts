import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { expireArtifacts } from '../../../src/domain/artifacts/expire-artifacts.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import {
  createTenant,
  refusalOf,
  startTestApi,
  storeExport,
  type Tenant,
  type TestApi,
} from '../../support/api.ts';
import { createUser, eventNamesOf, hours, noon } from '../../support/factories.ts';
import { readBack } from './read-back.ts';
import { storeBatch } from './stored-batch.ts';

let api: TestApi;
let tenant: Tenant;
let who: Metered;
let folder: string;
const run = promisify(execFile);

beforeAll(async () => {
  api = await startTestApi();
  folder = await mkdtemp(join(tmpdir(), 'rendermill-expired-'));
});
afterAll(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  api.clock.set(noon);
  tenant = await createTenant(api);
  who = await createUser(api.db, tenant.organizationId, { tier: 'free' });
});

const get = (path: string) => api.call(path, { key: tenant.key });
const downloadPath = (fileId: string) => `/api/render/download?fileId=${fileId}`;
const expire = (fileId: string) =>
  api.db
    .updateTable('artifact')
    .set({ expires_at: new Date(noon), expired_at: new Date(noon) })
    .where('file_id', '=', fileId)
    .execute();

const keep = async (archive: Response): Promise<string> => {
  const path = join(folder, `${newId()}.zip`);
  await writeFile(path, Buffer.from(await archive.arrayBuffer()));
  return path;
};

test('an expired file is 410, with the key and by a link, from its time on, and is not counted', async () => {
  const { fileId, row } = await storeExport(api, who);
  const link = { key: tenant.key, body: { fileId, expiresInSeconds: 7 * 24 * 3600 } };
  api.clock.advance(hours(24 * 30) - 1);
  const { url } = (await (await api.call('/api/render/download-link', link)).json()) as { url: string };
  expect((await get(downloadPath(fileId))).status).toBe(200);
  api.clock.advance(1);
  const gone = { status: 410, code: 'file_expired', details: { expiredAt: '2026-04-09T12:00:00.000Z' } };
  expect(await refusalOf(await get(downloadPath(fileId)))).toMatchObject(gone);
  expect(await refusalOf(await fetch(url))).toMatchObject(gone);
  expect(await refusalOf(await api.call('/api/render/download-link', link))).toMatchObject(gone);

  // Nobody has removed it yet, and everybody is told so all the same.
  const file = { fileId, expired: true };
  expect(await (await get(`/api/render/${row.id}`)).json()).toMatchObject({ file });
  expect(await (await get('/api/exports')).json()).toMatchObject({ exports: [{ file }] });

  expect(await expireArtifacts(api, api.clock.now())).toBeGreaterThan(0);
  expect(await refusalOf(await get(downloadPath(fileId)))).toMatchObject(gone);
  const shown = (await (await get(`/api/render/${row.id}`)).json()) as { status: string; file: unknown };
  expect(shown).toMatchObject({
    status: 'completed',
    file: { fileId, expired: true, expiresAt: '2026-04-09T12:00:00.000Z' },
  });
  const names = await eventNamesOf(api.db, tenant.organizationId);
  expect(names.filter((name) => name === 'export_downloaded')).toHaveLength(1);
  expect(names).not.toContain('storage_error');
});

test("another organization's expired file is as if it did not exist", async () => {
  const { fileId } = await storeExport(api, who);
  await expire(fileId);
  const { key } = await createTenant(api);
  expect((await api.call(downloadPath(fileId), { key })).status).toBe(404);
  const forged = `${downloadPath(fileId)}&expires=9999999999&signature=AAAA`;
  expect(await refusalOf(await api.call(forged))).toMatchObject({ code: 'link_invalid' });
});

test('a cell of a campaign shows that its file has expired from its time on', async () => {
  const batch = await storeBatch(api, who, [{ variant: 'one' }]);
  const expired = async () => {
    const shown = (await (await get(`/api/campaigns/${batch.id}`)).json()) as {
      cells: { items: { file: { expired: boolean } }[] };
    };
    return shown.cells.items.map(({ file }) => file.expired);
  };
  api.clock.advance(hours(24 * 30) - 1);
  expect(await expired()).toEqual([false]);
  api.clock.advance(1);
  expect(await expired()).toEqual([true]);
});

test('an archive leaves expired files out, and its manifest says so', async () => {
  who = await createUser(api.db, tenant.organizationId, { tier: 'unlimited' });
  const batch = await storeBatch(api, who, [{ variant: 'one' }, { variant: 'two', locale: 'de' }]);
  const [one, two] = batch.files;
  await expire(two?.fileId ?? '');
  const archive = await get(`/api/export/zip?campaignId=${batch.id}&manifest=true`);
  expect(archive.status).toBe(200);
  const zip = await keep(archive);
  expect(await readBack(zip)).toHaveLength(2);
  const manifest = JSON.parse((await run('unzip', ['-p', zip, 'manifest.json'])).stdout);
  expect(manifest.files.map((file: { fileId: string }) => file.fileId)).toEqual([one?.fileId]);
  expect(manifest.failures).toEqual([
    {
      fileId: two?.fileId,
      variant: 'two',
      locale: 'de',
      size: 'square',
      code: 'file_expired',
      message: expect.stringContaining('retention'),
    },
  ]);
  const listed = await get(`/api/export/zip?fileIds=${one?.fileId},${two?.fileId}`);
  expect(await readBack(await keep(listed))).toHaveLength(1);
});

test('an archive of which nothing is left is 410', async () => {
  const { fileId } = await storeExport(api, who);
  await expire(fileId);
  expect(await refusalOf(await get(`/api/export/zip?fileIds=${fileId}`))).toMatchObject({
    status: 410,
    code: 'file_expired',
    details: { expired: 1 },
  });
});
