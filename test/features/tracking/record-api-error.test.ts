import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { createApiErrorRecorder } from '../../../src/features/tracking/record-api-error.ts';
import { openDatabase } from '../../../src/platform/db/client.ts';
import {
  createTenant,
  openTestApi,
  refusalOf,
  type StoredFile,
  storeExport,
  type Tenant,
  type TestApi,
} from '../../support/api.ts';
import { createTestClock, createUser, eventsOf, silentLog, times } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
let file: StoredFile;
beforeEach(async () => {
  tenant = await createTenant(api);
  file = await storeExport(api, await createUser(api.db, tenant.organizationId));
});
afterEach(() => vi.restoreAllMocks());

const path = () => `/api/render/download?fileId=${file.fileId}`;
const breakStorage = (error: Error) => vi.spyOn(api.storage, 'stat').mockRejectedValue(error);
const errorsOf = async (organizationId = tenant.organizationId) =>
  (await eventsOf(api.db, organizationId)).filter((event) => event.event_name === 'api_error');
const failed = (given: object = {}) => ({
  organizationId: tenant.organizationId,
  route: '/api/render/:id',
  method: 'GET',
  status: 500,
  code: 'internal',
  requestId: 'request-1',
  ...given,
});

describe('an answer of 500 and above', () => {
  test('to a valid key is recorded, with the pattern of the route and no address', async () => {
    breakStorage(new Error('boom'));
    const { requestId } = await refusalOf(await api.call(path(), { key: tenant.key }));
    await expect
      .poll(async () => (await errorsOf()).map((event) => event.properties))
      .toEqual([
        {
          route: '/api/render/download',
          method: 'GET',
          status: 500,
          error_code: 'internal',
          request_id: requestId,
        },
      ]);
    const [row] = await api.db
      .selectFrom('domain_event')
      .select(['source', 'entity_type', 'entity_id', 'correlation_id'])
      .where('organization_id', '=', tenant.organizationId)
      .where('event_name', '=', 'api_error')
      .execute();
    expect(row).toEqual({
      source: 'server',
      entity_type: 'request',
      entity_id: requestId,
      correlation_id: requestId,
    });
  });

  test('keeps the status and the code of its error', async () => {
    breakStorage(new RendermillError('disk_full'));
    expect((await api.call(path(), { key: tenant.key })).status).toBe(507);
    await expect
      .poll(async () => (await errorsOf())[0]?.properties)
      .toMatchObject({ status: 507, error_code: 'disk_full' });
  });

  test('to nobody whom we know is not recorded, nor is a refusal', async () => {
    const body = { fileId: file.fileId };
    const link = await api.call('/api/render/download-link', { key: tenant.key, body });
    const { pathname, search } = new URL(((await link.json()) as { url: string }).url);
    breakStorage(new Error('boom'));
    expect((await api.call(pathname + search)).status).toBe(500);
    expect((await api.call(path())).status).toBe(401);
    expect((await api.call(path(), { key: `${tenant.key}x` })).status).toBe(401);
    expect((await api.call('/api/render/nothing', { key: tenant.key })).status).toBe(404);
    // Recorded after all of those, and therefore the first only if they were not.
    const { requestId } = await refusalOf(await api.call(path(), { key: tenant.key }));
    await expect
      .poll(async () => (await errorsOf()).map((event) => event.properties.request_id))
      .toEqual([requestId]);
  });

  test('belongs to the organization of the key, whatever the request names', async () => {
    const other = await createTenant(api);
    breakStorage(new Error('boom'));
    expect((await api.call(path(), { key: other.key })).status).toBe(404);
    await api.call(path(), { key: tenant.key });
    await expect.poll(async () => (await errorsOf()).length).toBe(1);
    expect(await errorsOf(other.organizationId)).toEqual([]);
  });
});

describe('the recorder', () => {
  const recorderOn = (db: TestApi['db']) =>
    createApiErrorRecorder({ db, clock: createTestClock(), log: silentLog });

  test('writes ten of a second, counts the rest, and says so once', async () => {
    const warned = vi.spyOn(silentLog, 'warn');
    const recorder = recorderOn(api.db);
    for (const requestId of times(25, (index) => `request-${index}`)) recorder.record(failed({ requestId }));
    await recorder.settled();
    expect(await errorsOf()).toHaveLength(10);
    await expect
      .poll(() => warned.mock.calls.map(([facts]) => facts), { timeout: 5_000 })
      .toEqual([{ skipped: 15 }]);
    recorder.record(failed({ requestId: 'in the next second' }));
    await recorder.settled();
    expect(await errorsOf()).toHaveLength(11);
  });

  test('does not even try where the database was away', async () => {
    const recorder = recorderOn(api.db);
    recorder.record(failed({ status: 503, code: 'database_unavailable' }));
    recorder.record(failed({ status: 503, code: 'queue_unavailable' }));
    await recorder.settled();
    expect((await errorsOf()).map((event) => event.properties.error_code)).toEqual(['queue_unavailable']);
  });

  test('without a database fails nobody', async () => {
    const { db, close } = openDatabase({ url: api.databaseUrl, log: silentLog });
    await close();
    const recorder = recorderOn(db);
    recorder.record(failed());
    await expect(recorder.settled()).resolves.toBeUndefined();
  });
});
