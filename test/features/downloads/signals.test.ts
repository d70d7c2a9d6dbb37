import { beforeEach, describe, expect, test, vi } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { dropOldWindows } from '../../../src/domain/artifacts/download-window.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { createDamageRecorder } from '../../../src/features/downloads/record-damage.ts';
import {
  createTenant,
  openTestApi,
  refusalOf,
  type StoredFile,
  storeExport,
  type Tenant,
} from '../../support/api.ts';
import { createUser, eventsOf, hours, minutes, noon, outcomes, times } from '../../support/factories.ts';
import { storeBatch } from './stored-batch.ts';

const api = await openTestApi();
let tenant: Tenant;
let who: Metered;
let file: StoredFile;
beforeEach(async () => {
  api.clock.set(noon);
  tenant = await createTenant(api);
  who = await createUser(api.db, tenant.organizationId);
  file = await storeExport(api, who);
});

const read = async (path: string, key: string | undefined = tenant.key) => {
  const response = await api.call(path, key === undefined ? {} : { key });
  await response.arrayBuffer();
  return response;
};
const pathOf = (fileId: string) => `/api/render/download?fileId=${fileId}`;
const linkTo = async (fileId: string, expiresInSeconds: number) => {
  const body = { fileId, expiresInSeconds };
  const link = await api.call('/api/render/download-link', { key: tenant.key, body });
  return new URL(((await link.json()) as { url: string }).url);
};
const propertiesOf = async (name: string, organizationId = tenant.organizationId) =>
  (await eventsOf(api.db, organizationId))
    .filter((event) => event.event_name === name)
    .map((event) => event.properties);
const counts = async (name = 'export_downloaded') =>
  (await propertiesOf(name)).map((one) => [one.download_count, one.second_download_attempt]);

describe('a download', () => {
  test('tells whether the file was downloaded before, by anybody, and how often', async () => {
    await read(pathOf(file.fileId));
    const { pathname, search } = await linkTo(file.fileId, 3600);
    await read(pathname + search, undefined);
    api.clock.advance(minutes(10) + 1);
    await read(pathOf(file.fileId));
    expect(await counts()).toEqual([
      [1, false],
      [2, true],
      [3, true],
    ]);
  });

  test('within the window of one that was counted is the same download', async () => {
    for (const _again of times(3, () => 0)) await read(pathOf(file.fileId));
    expect(await counts()).toEqual([[1, false]]);
  });

  test('of another file is a first one', async () => {
    const other = await storeExport(api, who);
    await read(pathOf(file.fileId));
    await read(pathOf(other.fileId));
    expect(await counts()).toEqual([
      [1, false],
      [1, false],
    ]);
  });

  test('is known long after its window was forgotten', async () => {
    await read(pathOf(file.fileId));
    api.clock.advance(hours(48));
    await dropOldWindows(api.db, api.clock.now());
    await read(pathOf(file.fileId));
    expect(await counts()).toEqual([
      [1, false],
      [2, true],
    ]);
  });

  test('by ten at once is counted from one to ten', async () => {
    const links = await Promise.all(times(10, (index) => linkTo(file.fileId, 3600 + index)));
    await Promise.all(links.map(({ pathname, search }) => read(pathname + search, undefined)));
    const found = (await counts()).map(([count]) => Number(count));
    expect(found.toSorted((a, b) => a - b)).toEqual(times(10, (index) => index + 1));
  });

  test('of an archive is counted for the archive', async () => {
    const batch = await storeBatch(api, who, [{ variant: 'lamp' }]);
    await read(`/api/export/zip?campaignId=${batch.id}`);
    await read(pathOf(batch.files[0]?.fileId ?? ''));
    api.clock.advance(minutes(10) + 1);
    await read(`/api/export/zip?campaignId=${batch.id}`);
    expect(await counts()).toEqual([
      [1, false],
      [1, false],
      [2, true],
    ]);
  });
});

describe('storage_error', () => {
  const remove = async (fileId: string) => {
    const { storage_key } = await api.db
      .selectFrom('artifact')
      .select('storage_key')
      .where('file_id', '=', fileId)
      .executeTakeFirstOrThrow();
    await api.storage.delete(storage_key);
  };

  test('tells of a file that is gone when it is downloaded, in the name of its user', async () => {
    await remove(file.fileId);
    expect(await refusalOf(await api.call(pathOf(file.fileId), { key: tenant.key }))).toMatchObject({
      status: 500,
      code: 'file_damaged',
    });
    expect(await propertiesOf('storage_error')).toEqual([
      { operation: 'read', error_code: 'file_damaged', job_id: file.row.id, fileId: file.fileId },
    ]);
    const [row] = await api.db
      .selectFrom('domain_event')
      .select(['user_id', 'entity_type', 'entity_id', 'source'])
      .where('organization_id', '=', tenant.organizationId)
      .where('event_name', '=', 'storage_error')
      .execute();
    expect(row).toEqual({
      user_id: who.userId,
      entity_type: 'export',
      entity_id: file.row.id,
      source: 'server',
    });
  });

  test('tells of each damaged file of an archive', async () => {
    const batch = await storeBatch(
      api,
      who,
      ['lamp', 'chair', 'table'].map((variant) => ({ variant })),
    );
    const gone = batch.files.slice(0, 2).map((one) => one.fileId);
    for (const fileId of gone) await remove(fileId);
    expect((await read(`/api/export/zip?campaignId=${batch.id}`)).status).toBe(500);
    const found = await propertiesOf('storage_error');
    expect(found.map((one) => one.fileId)).toEqual(gone.toSorted());
    expect(found[0]).toMatchObject({ operation: 'read', error_code: 'file_damaged' });
  });

  test('tells nothing of a file of somebody else, nor to them', async () => {
    await remove(file.fileId);
    const other = await createTenant(api);
    expect((await read(pathOf(file.fileId), other.key)).status).toBe(404);
    expect(await propertiesOf('storage_error')).toEqual([]);
    expect(await propertiesOf('storage_error', other.organizationId)).toEqual([]);
  });

  test('of whoever asks all day is recorded ten times a second, and each is answered', async () => {
    const warned = vi.spyOn(api.log, 'warn');
    const recordDamage = createDamageRecorder(api);
    const wanted = { organizationId: tenant.organizationId, fileId: file.fileId };
    const damaged = () => Promise.reject(new RendermillError('file_damaged'));
    const { codes } = await outcomes(times(30, () => recordDamage(wanted, damaged)));
    expect(codes).toEqual(times(30, () => 'file_damaged'));
    expect(await propertiesOf('storage_error')).toHaveLength(10);
    await expect
      .poll(() => warned.mock.calls.map(([facts]) => facts), { timeout: 5_000 })
      .toContainEqual({ skipped: 20 });
    warned.mockRestore();
  });
});
