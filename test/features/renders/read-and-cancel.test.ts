import { beforeEach, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import { failExport } from '../../../src/domain/exports/fail-export.ts';
import type { Metered } from '../../../src/domain/exports/limits.ts';
import { saveProgress } from '../../../src/domain/exports/save-progress.ts';
import { createTenant, openTestApi, refusalOf, storeExport, type Tenant } from '../../support/api.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createKey,
  createUser,
  noon,
  readExport,
  start,
} from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
let who: Metered;
beforeEach(async () => {
  tenant = await createTenant(api);
  who = await createUser(api.db, tenant.organizationId);
});

const read = async (id: string) =>
  (await (await api.call(`/api/render/${id}`, { key: tenant.key })).json()) as Record<string, unknown>;
const remove = (id: string, key = tenant.key) => api.call(`/api/render/${id}`, { method: 'DELETE', key });
const fail = async (row: Export) => {
  const fence = await start(api.db, row);
  const reason = { code: 'composition_error', text: 'It threw.' } as const;
  await api.db.transaction().execute((tx) => failExport(tx, fence, reason, new Date(noon)));
};

describe('an export is shown', () => {
  test('while it waits', async () => {
    const row = await accept(api.db, who);
    expect(await read(row.id)).toEqual({
      id: row.id,
      status: 'queued',
      userId: 'user-1',
      projectId: 'project-1',
      batchId: null,
      cached: false,
      compositionId: 'hero-ad',
      version: row.version,
      kind: 'still',
      format: 'png',
      renderMode: 'local',
      width: 1080,
      height: 1080,
      durationSeconds: null,
      attempt: 0,
      cancelRequested: false,
      progress: null,
      error: null,
      file: null,
      createdAt: noon,
      startedAt: null,
      completedAt: null,
      failedAt: null,
      canceledAt: null,
    });
  });

  test('while it renders, with its progress', async () => {
    const { row, fence } = await acceptAndStart(api.db, who);
    const progress = { stage: 'rendering', percent: 40, renderedFrames: 4, totalFrames: 10, timeLeftMs: 900 };
    await saveProgress(api.db, fence, progress, new Date(noon));
    expect(await read(row.id)).toMatchObject({ status: 'started', attempt: 1, startedAt: noon, progress });
  });

  test('when it is completed, with its file and the path that leads to it', async () => {
    const { row, fileId, content } = await storeExport(api, who);
    const shown = await read(row.id);
    expect(shown).toMatchObject({
      status: 'completed',
      completedAt: noon,
      file: {
        fileId,
        mediaType: 'image/png',
        sizeInBytes: content.length,
        downloadPath: `/api/render/download?fileId=${fileId}`,
      },
    });
    const downloaded = await api.call(String((shown.file as { downloadPath: string }).downloadPath), {
      key: tenant.key,
    });
    expect(Buffer.from(await downloaded.arrayBuffer())).toEqual(content);
  });

  test('when it has failed, with the reason', async () => {
    const row = await accept(api.db, who);
    await fail(row);
    expect(await read(row.id)).toMatchObject({
      status: 'failed',
      failedAt: noon,
      file: null,
      error: { code: 'composition_error', message: 'It threw.' },
    });
  });
});

describe('a cancel', () => {
  test('of a waiting export is 202 and done', async () => {
    const row = await accept(api.db, who);
    const response = await remove(row.id);
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({
      id: row.id,
      status: 'canceled',
      canceledAt: noon,
      cancelRequested: true,
    });
    expect((await remove(row.id)).status).toBe(202);
  });

  test('of a running export is 202 and asked for', async () => {
    const { row } = await acceptAndStart(api.db, who);
    expect(await (await remove(row.id)).json()).toMatchObject({
      status: 'started',
      cancelRequested: true,
      canceledAt: null,
    });
    expect((await remove(row.id)).status).toBe(202);
  });

  test.each(['completed', 'failed'])('of a %s export is 409', async (how) => {
    const row = await accept(api.db, who);
    if (how === 'failed') await fail(row);
    else await complete(api.db, await start(api.db, row));
    const refusal = await refusalOf(await remove(row.id));
    expect(refusal).toMatchObject({ status: 409, code: 'export_finished' });
    expect(refusal.message).toContain(how);
  });
});

describe.each([
  ['GET', ''],
  ['DELETE', ''],
  ['GET', '/events'],
] as const)('%s /api/render/:id%s', (method, suffix) => {
  test('without a key is 401, with a publishable one 403, whether the export exists or not', async () => {
    const row = await accept(api.db, who);
    const { key } = await createKey(api.db, tenant.organizationId, 'publishable');
    for (const id of [row.id, newId()]) {
      expect(await refusalOf(await api.call(`/api/render/${id}${suffix}`, { method }))).toMatchObject({
        status: 401,
      });
      expect(await refusalOf(await api.call(`/api/render/${id}${suffix}`, { method, key }))).toMatchObject({
        status: 403,
      });
    }
  });

  test("of another organization's export is 404, as if there were none", async () => {
    const row = await accept(api.db, who);
    const other = await createTenant(api);
    const theirs = await refusalOf(
      await api.call(`/api/render/${row.id}${suffix}`, { method, key: other.key }),
    );
    expect(theirs).toMatchObject({
      status: 404,
      code: 'not_found',
      message: `There is no export "${row.id}".`,
    });
    const none = newId();
    const noOnes = await refusalOf(
      await api.call(`/api/render/${none}${suffix}`, { method, key: other.key }),
    );
    expect({ ...noOnes, message: noOnes.message.replace(none, row.id), requestId: '' }).toEqual({
      ...theirs,
      requestId: '',
    });
    expect(await readExport(api.db, row.id)).toMatchObject({ status: 'queued', cancel_requested_at: null });
  });

  test.each([
    '1',
    'not-a-uuid',
    '%00',
    '..%2F..%2Fetc%2Fpasswd',
    "'%20OR%201=1",
    '%F0%9F%99%82',
    'a'.repeat(60),
  ])('of %s is 404', async (id) => {
    expect(
      await refusalOf(await api.call(`/api/render/${id}${suffix}`, { method, key: tenant.key })),
    ).toMatchObject({
      status: 404,
      code: 'not_found',
    });
  });
});
