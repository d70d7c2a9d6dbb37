import { afterAll, beforeAll, expect, test } from 'vitest';
import { migrateDatabase } from '../../../src/platform/db/migrate.ts';
import { createTenant, refusalOf, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import { silentLog } from '../../support/factories.ts';
import { startTestPostgres, type TestPostgres } from '../../support/postgres.ts';

let postgres: TestPostgres;
let api: TestApi;
let tenant: Tenant;
beforeAll(async () => {
  postgres = await startTestPostgres();
  await migrateDatabase(postgres.url, silentLog);
  api = await startTestApi({ databaseUrl: postgres.url });
  tenant = await createTenant(api);
});
afterAll(async () => {
  await api.close();
  await postgres.remove();
});

const still = { userId: 'ann', projectId: 'spring', compositionId: 'hero-ad', kind: 'still', format: 'png' };
const post = () => api.call('/api/render', { key: tenant.key, body: still });

test('while Postgres is away requests get 503 with Retry-After, the process lives, and all works again afterwards', async () => {
  expect((await post()).status).toBe(202);
  // A transaction between two of its statements is cut off as well.
  const cutOff = api.db.transaction().execute(async (tx) => {
    await tx.selectFrom('organization').select('id').execute();
    await postgres.stop();
    await tx.selectFrom('organization').select('id').execute();
  });
  await expect(cutOff).rejects.toThrow();

  for (const path of [
    '/api/exports',
    '/api/compositions',
    '/api/users/ann',
    '/api/render/0193f2ab-1111-7222-8333-444455556666',
  ]) {
    const response = await api.call(path, { key: tenant.key });
    expect(response.headers.get('retry-after')).toBe('5');
    expect(await refusalOf(response)).toMatchObject({ status: 503, code: 'database_unavailable' });
  }
  const refused = await post();
  expect(refused.headers.get('retry-after')).toBe('5');
  const refusal = await refusalOf(refused);
  expect(refusal).toMatchObject({ status: 503, code: 'database_unavailable' });
  expect(refusal.message).not.toMatch(/ECONN|127\.0\.0\.1/);

  expect((await api.call('/healthz')).status).toBe(200);
  const ready = await api.call('/readyz');
  expect(ready.status).toBe(503);
  expect(await ready.json()).toMatchObject({
    ready: false,
    checks: { database: { ok: false }, queue: { ok: true } },
  });
  const metrics = await api.call('/metrics');
  expect(metrics.status).toBe(200);
  const page = await metrics.text();
  expect(page).toContain('rendermill_http_request_seconds_count');
  expect(page).not.toMatch(/^rendermill_exports_unfinished\{/m);

  await postgres.start();
  expect((await post()).status).toBe(202);
  expect((await api.call('/readyz')).status).toBe(200);
  expect(await (await api.call('/api/users/ann', { key: tenant.key })).json()).toMatchObject({
    remaining: 1,
  });
  expect(await (await api.call('/metrics')).text()).toContain(
    'rendermill_exports_unfinished{place="waiting"} 2',
  );
});
